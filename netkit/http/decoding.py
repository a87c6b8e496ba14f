"""The content of a body, out of its content coding (RFC 9110 8.4.1). Pure.

Rule: a step takes and gives a bounded number of bytes, whatever a few bytes would become.
"""

import zlib
from typing import Protocol

import brotli  # type: ignore[import-untyped]  # it has no types

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_DEFLATED = 8


class MalformedError(Exception):
    """The body is not in the coding that it claims."""


class Decoder(Protocol):
    """Takes one body's bytes as they come."""

    @property
    def hungry(self) -> bool:
        """Return whether more of the body has to come before there is more content."""

    @property
    def whole(self) -> bool:
        """Return whether the body may end here."""

    def take(self, octets: bytes) -> None:
        """Take what comes next."""

    def content(self, at_most: int) -> bytes:
        """Return more of the content; raise MalformedError."""


class Plain:
    """A body without a coding."""

    whole = True

    def __init__(self) -> None:
        self._octets = b""

    @property
    def hungry(self) -> bool:
        """See Decoder."""
        return not self._octets

    def take(self, octets: bytes) -> None:
        """See Decoder."""
        self._octets += octets

    def content(self, at_most: int) -> bytes:
        """See Decoder."""
        content, self._octets = self._octets[:at_most], self._octets[at_most:]
        return content


class Gzip:
    """A body in gzip (RFC 1952), of one member or several; what is behind them is let be."""

    def __init__(self) -> None:
        self._octets = b""
        self._more = False
        self._member = zlib.decompressobj(_GZIP)
        self._ended = False
        self._begun = False  # the member
        self._whole_members = 0

    @property
    def hungry(self) -> bool:
        """See Decoder."""
        return self._ended or not (self._octets or self._more)

    @property
    def whole(self) -> bool:
        """See Decoder."""
        return self._ended or not self._begun

    def take(self, octets: bytes) -> None:
        """See Decoder."""
        if not self._ended:
            self._octets += octets

    def content(self, at_most: int) -> bytes:
        """See Decoder; at most one member is ended at a time."""
        self._begun = self._begun or bool(self._octets)
        try:
            content = self._member.decompress(self._octets, at_most)
        except zlib.error:
            if not self._whole_members:
                raise MalformedError from None
            content, self._ended = b"", True
        self._more = len(content) == at_most
        self._octets = self._member.unconsumed_tail
        if self._member.eof:
            self._octets, self._more = self._member.unused_data, False
            self._begun = False
            self._member = zlib.decompressobj(_GZIP)
            self._whole_members += 1
        return content


class Deflate:
    """A body in `deflate`: in the format of zlib (RFC 1950), or without it, as some send it."""

    def __init__(self) -> None:
        self._octets = b""
        self._more = False
        self._stream = zlib.decompressobj(_ZLIB)
        self._begun = False

    @property
    def hungry(self) -> bool:
        """See Decoder."""
        if not self._begun:
            return len(self._octets) < 2  # noqa: PLR2004 (which tell the one from the other)
        return self._stream.eof or not (self._octets or self._more)

    @property
    def whole(self) -> bool:
        """See Decoder."""
        return self._stream.eof or not (self._begun or self._octets)

    def take(self, octets: bytes) -> None:
        """See Decoder."""
        self._octets += octets

    def content(self, at_most: int) -> bytes:
        """See Decoder."""
        if not self._begun:
            self._begun = True
            if not _has_zlib_header(self._octets):
                self._stream = zlib.decompressobj(_RAW)
        try:
            content = self._stream.decompress(self._octets, at_most)
        except zlib.error:
            raise MalformedError from None
        self._more = len(content) == at_most
        self._octets = self._stream.unconsumed_tail
        return content


def _has_zlib_header(octets: bytes) -> bool:
    """Return whether the two bytes of RFC 1950 2.2 stand first."""
    return octets[0] & 15 == _DEFLATED and int.from_bytes(octets[:2], "big") % 31 == 0


class Brotli:
    """A body in `br` (RFC 7932)."""

    def __init__(self) -> None:
        self._octets = b""
        self._content = b""
        self._begun = self._ended = self._more = False
        self._stream = brotli.Decompressor()

    @property
    def hungry(self) -> bool:
        """See Decoder."""
        return not (self._octets or self._content or self._more)

    @property
    def whole(self) -> bool:
        """See Decoder."""
        return self._ended or not self._begun

    def take(self, octets: bytes) -> None:
        """See Decoder."""
        self._begun = self._begun or bool(octets)
        self._octets += octets

    def content(self, at_most: int) -> bytes:
        """See Decoder."""
        if not self._content:
            self._content = self._decoded(at_most)
        content, self._content = self._content[:at_most], self._content[at_most:]
        return content

    def _decoded(self, about: int) -> bytes:
        """Return more of the content: the library goes a block beyond what it is asked for."""
        if self._ended and self._octets:
            raise MalformedError
        octets = b""
        if not self._more:
            octets, self._octets = self._octets, b""
        try:
            content: bytes = self._stream.process(octets, output_buffer_limit=about)
        except brotli.error:
            raise MalformedError from None
        self._ended = self._stream.is_finished()
        full = len(content) >= about or not self._stream.can_accept_more_data()
        self._more = full and not self._ended
        return content


def decoder(coding: bytes) -> type[Plain | Gzip | Deflate | Brotli] | None:
    """Return what decodes bodies with this Content-Encoding, or None where nothing here does."""
    match coding.strip(b" \t").lower():
        case b"" | b"identity":
            return Plain
        case b"gzip" | b"x-gzip":
            return Gzip
        case b"deflate":
            return Deflate
        case b"br":
            return Brotli
    return None
