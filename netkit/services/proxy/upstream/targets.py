"""What a server is asked for: the path below the mount, or all of it, written anew. Pure.

The site has decoded the path once and removed its dot segments. Rule: each character that is more than
itself in a path is an escape again, so that no server can decode it into a way out.
"""

import re

from netkit.http.pages import link

# What most paths are: nothing to encode, and one slash at the start.
_PLAIN = re.compile(r"/(?:[A-Za-z0-9_.~!$&'()*+,;=:@-][A-Za-z0-9_.~!$&'()*+,;=:@/-]*)?")


def target(path: str, received: bytes, prefix: str = "") -> bytes:
    """Return the target for the decoded `path`, below `prefix`, with the query as it was received.

    `received` is the target of the client's request, `prefix` is encoded and has no slash at its end.
    What begins with several slashes begins with one, so that no server takes it for `//host/path`.
    """
    question, query = received.find(b"?"), b""
    if question >= 0:
        query = received[question:]
    if not _PLAIN.fullmatch(path):
        path = "/" + link(path.lstrip("/"))
    return (prefix + path).encode() + query
