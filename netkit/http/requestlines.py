"""A request as it is sent: its header section, and its body where that is at hand. Pure.

Rule: every request is framed in exactly one way (RFC 9112 6), chosen here from the body itself.
"""

from netkit.http.asking import Question

_EXPECTS_A_BODY = frozenset((b"POST", b"PUT", b"PATCH"))


def whole_request(question: Question, body: bytes) -> bytes:
    """Return the request with `body`, which is the question's own."""
    plain = not (question.upgrade or question.last)
    if plain and not body and question.method not in _EXPECTS_A_BODY:
        return question.opening + b"\r\n"
    return header_section(question, len(body)) + body


def header_section(question: Question, length: int | None, *, expects: bool = False) -> bytes:
    """Return the header section of a request with `length` bytes of body; None for chunks.

    `expects` has the server say whether it wants the body (RFC 9110 10.1.1).
    """
    lines = [question.opening]
    if length is None:
        lines.append(b"Transfer-Encoding: chunked\r\n")
    elif length or question.method in _EXPECTS_A_BODY:
        lines.append(b"Content-Length: %d\r\n" % length)
    if expects:
        lines.append(b"Expect: 100-continue\r\n")
    if question.upgrade:
        lines.append(b"Connection: upgrade\r\nUpgrade: %b\r\n" % question.upgrade)
    elif question.last:
        lines.append(b"Connection: close\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)
