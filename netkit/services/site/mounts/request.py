"""The mount `request`: a request of any method is answered with itself.

The answer is plain text that no browser takes for anything else. It shows a visitor their own
cookies and credentials, as it is there to do: do not mount it beside pages that keep secrets in
cookies from scripts.
"""

from attrs import frozen

from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import text
from netkit.services.kind import MountKind, World


@frozen
class Settings:
    """There is nothing to set."""


def answer(request: Request) -> Response:
    """Return the request line and the header fields as received (RFC 9112 3)."""
    line = b" ".join((request.method, request.target, request.head.version))
    fields = [b"%s: %s" % field for field in request.headers]
    return text(b"".join(part + b"\r\n" for part in (b"You said:", line, *fields)), b"iso-8859-1")


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return the mount."""
    return answer


KIND = MountKind(name="request", settings=Settings, build=build)
