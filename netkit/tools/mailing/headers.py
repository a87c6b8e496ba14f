"""The header fields of a message (RFC 5322), as people are to read them. Pure.

Rule: any bytes are text, whatever the sender has done to them, and no codec is asked but those of
mail. Nothing here is made harmless for a terminal: an encoded word may hold any character.
"""

import re
from binascii import Error, a2b_base64
from collections.abc import Iterator, Mapping

from netkit.tools.mailing.charsets import codec

_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,60})?\?([bBqQ])\?([^?]*)\?=")
_HEXADECIMAL = re.compile(rb"=([0-9A-Fa-f]{2})")


def fields(section: bytes) -> Mapping[str, bytes]:
    """Return the fields of a header section, unfolded, by their names in small letters.

    Of several with one name it is the first; a line that is no field is left out.
    """
    found: dict[str, bytes] = {}
    for line in _FOLD.sub(b"", section).split(b"\n"):
        match = _FIELD.fullmatch(line.removesuffix(b"\r"))
        if match:
            found.setdefault(match[1].decode().lower(), match[2].strip(b" \t"))
    return found


def text(octets: bytes) -> str:
    """Return the text of a field: UTF-8 (RFC 6532), and where it is not, what is commonest."""
    try:
        written = octets.decode()
    except UnicodeDecodeError:
        written = octets.decode("cp1252", "replace")
    return written.replace("\t", " ")


def decoded(written: str) -> str:
    """Return `written` with its encoded words decoded (RFC 2047).

    What lies between two of them is left out where it is blank, and characters that were cut between
    two in the same charset are put together. A word that cannot be decoded stays as it is.
    """
    return "".join(_pieces(written))


def _pieces(written: str) -> Iterator[str]:
    charset, gathered = "", b""
    at = 0
    for word in _WORD.finditer(written):
        octets = _octets(word)
        if octets is None:
            continue
        between = written[at : word.start()]
        if charset and (between.strip(" ") or word[1].lower() != charset):
            yield _characters(charset, gathered)
            gathered = b""
        if not charset or between.strip(" "):
            yield between
        charset, gathered, at = word[1].lower(), gathered + octets, word.end()
    if charset:
        yield _characters(charset, gathered)
    yield written[at:]


def _octets(word: re.Match[str]) -> bytes | None:
    encoded = word[3].encode(errors="replace")
    if word[2] in "qQ":
        spaced = encoded.replace(b"_", b" ")
        return _HEXADECIMAL.sub(lambda match: bytes([int(match[1], 16)]), spaced)
    bare = encoded.replace(b" ", b"").rstrip(b"=")
    try:
        return a2b_base64(bare + b"=" * (-len(bare) % 4), strict_mode=True)
    except Error:
        return None


def _characters(charset: str, octets: bytes) -> str:
    name = codec(charset)
    return text(octets) if name is None else octets.decode(name, "replace")
