"""The scheme Basic (RFC 7617): what a client says of itself, and how it is asked. Pure."""

from base64 import b64decode, b64encode

from attrs import field, frozen

LONGEST = 2048  # bytes of the field's value


@frozen
class Credentials:
    """Who a client says it is."""

    user: str
    password: str = field(repr=False)


def credentials(value: bytes | None) -> Credentials | None:
    """Return what an Authorization (or Proxy-Authorization) field says, or None.

    None stands for a field that is missing, longer than LONGEST, of another scheme, or not formed
    as RFC 7617 2 has it: base64 of UTF-8 with a colon and no control characters.
    """
    scheme, _, token = (value or b"").partition(b" ")
    if scheme.lower() != b"basic" or len(token) > LONGEST:
        return None
    token = token.strip(b" ")
    try:
        data = b64decode(token)
        text = data.decode()
    except ValueError:
        return None
    if b64encode(data) != token:  # other alphabets, padding in excess
        return None
    user, colon, password = text.partition(":")
    controls = any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in text)  # noqa: PLR2004
    return Credentials(user, password) if colon and not controls else None


def challenge(realm: str) -> bytes:
    """Return the value of WWW-Authenticate that asks for a login; `realm` is ASCII without quotes."""
    return f'Basic realm="{realm}", charset="UTF-8"'.encode("ascii")
