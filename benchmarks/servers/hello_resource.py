"""A resource of twisted.web that answers hello, below the root of its tree."""

from twisted.web.resource import Resource
from twisted.web.server import Request


class Hello(Resource):
    """Answers any GET with hello."""

    isLeaf = True  # noqa: N815 (Twisted's name)

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 (Twisted's name)
        """Return the page."""
        request.setHeader(b"content-type", b"text/plain")
        return b"hello"


def tree() -> Resource:
    """Return the root, which has the resource as its child."""
    root = Resource()
    root.putChild(b"hello", Hello())
    return root
