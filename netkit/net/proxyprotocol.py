"""HAProxy's PROXY protocol, versions 1 and 2, as values: read, checked and written.

After proxy-protocol.txt of HAProxy (of 2020/03/05), whose sections are named here. Pure. Rule: what
does not follow it to the letter is refused; nothing is guessed, nothing is mended.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from struct import Struct

from attrs import frozen

from netkit.net.addresses import SocketAddress, unmapped

V1_LONGEST = 107  # bytes, the end of the line included (2.1)
V2_LONGEST = 4096  # bytes; the specification has no such limit, senders stay below 536 (2)
LONGEST_UNIQUE_ID = 128  # bytes (2.2.5)

_V1_START = b"PROXY "
_V1_UNKNOWN = re.compile(rb"PROXY UNKNOWN(?: .*)?\r\n", re.DOTALL)
_V1_TCP = re.compile(
    rb"PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+)"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n"
)
_HIGHEST_PORT = 65535

_V2_START = b"\r\n\r\n\x00\r\nQUIT\n"
_V2_REST = Struct(">BBH")  # version and command, family and transport, length
_V2_FIXED = len(_V2_START) + _V2_REST.size
_VERSION = 2
_V4_ENDS = Struct(">4s4sHH")
_V6_ENDS = Struct(">16s16sHH")
_UNIX_ENDS = Struct(">108s108s")
_TLV = Struct(">BH")  # type, length
_CHECKSUM = Struct(">I")


class HeaderError(ValueError):
    """What was received is no header; the text completes "the peer sent …"."""


class _Command(IntEnum):
    LOCAL = 0
    PROXY = 1


class _Family(IntEnum):
    UNSPECIFIED = 0
    INET = 1
    INET6 = 2
    UNIX = 3


class _Transport(IntEnum):
    UNSPECIFIED = 0
    STREAM = 1
    DATAGRAM = 2


_SIZES = {
    _Family.UNSPECIFIED: 0,
    _Family.INET: _V4_ENDS.size,
    _Family.INET6: _V6_ENDS.size,
    _Family.UNIX: _UNIX_ENDS.size,
}


class TlvType(IntEnum):
    """The registered types of what may follow the addresses (2.2)."""

    ALPN = 0x01
    AUTHORITY = 0x02
    CRC32C = 0x03
    NOOP = 0x04
    UNIQUE_ID = 0x05
    SSL = 0x20
    NETNS = 0x30


@frozen
class Tlv:
    """Something more about the connection: `type` is a `TlvType` or any other byte."""

    type: int
    value: bytes


@frozen
class Header:
    """What a proxy says of the connection that it passes on.

    `source` and `destination` are the ends that the client's connection has there. Both are None
    where the proxy does not know them or they are no IP addresses (the client's connection then
    counts as the proxy's own), and where `local` says that the proxy speaks for itself. `tlvs` has
    what else it says, padding and checksum left out.
    """

    source: SocketAddress | None = None
    destination: SocketAddress | None = None
    tlvs: tuple[Tlv, ...] = ()
    local: bool = False


def parse(received: bytes) -> tuple[Header, bytes] | None:
    """Return the header at the start of `received` and the bytes behind it; None: more is needed.

    Of `received` no more than `V2_LONGEST` bytes are needed, ever. Raise HeaderError as soon as it
    can be no header.
    """
    if _V2_START.startswith(received[: len(_V2_START)]):
        return _parse_v2(received)
    if _V1_START.startswith(received[: len(_V1_START)]):
        return _parse_v1(received)
    raise HeaderError("no PROXY header")


def to_v1(header: Header) -> bytes:
    """Return `header` as a line (2.1), which has no word for `local` and none for TLVs."""
    ends = _ends(header)
    if ends is None:
        return b"PROXY UNKNOWN\r\n"
    source, destination = ends
    family = f"TCP{source.host.version} {source.host} {destination.host}"
    return f"PROXY {family} {source.port} {destination.port}\r\n".encode("ascii")


def to_v2(header: Header, *, checksum: bool = False) -> bytes:
    """Return `header` in the binary form (2.2), for TCP; ValueError where it would be too long.

    Without addresses it carries no TLVs either.
    """
    command = _Command.LOCAL if header.local else _Command.PROXY
    ends = _ends(header)
    if ends is None:
        return _V2_START + _V2_REST.pack(_VERSION << 4 | command, 0, 0)
    v4 = ends[0].host.version == 4  # noqa: PLR2004
    family = (_Family.INET if v4 else _Family.INET6) << 4 | _Transport.STREAM
    tlvs = (*header.tlvs, Tlv(TlvType.CRC32C, bytes(_CHECKSUM.size))) if checksum else header.tlvs
    block = _packed(*ends, _V4_ENDS if v4 else _V6_ENDS) + _chained(tlvs)
    if _V2_FIXED + len(block) > V2_LONGEST:
        raise ValueError(f"a PROXY header has at most {V2_LONGEST} bytes")
    written = _V2_START + _V2_REST.pack(_VERSION << 4 | command, family, len(block)) + block
    return written[: -_CHECKSUM.size] + _CHECKSUM.pack(crc32c(written)) if checksum else written


def crc32c(data: bytes) -> int:
    """Return the checksum of RFC 9260, appendix A (Castagnoli)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _crc32c_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC32C = tuple(map(_crc32c_of, range(256)))


def _parse_v1(received: bytes) -> tuple[Header, bytes] | None:
    end = received.find(b"\n", 0, V1_LONGEST) + 1
    if not end and len(received) < V1_LONGEST:
        return None
    if not end:
        raise HeaderError(f"a PROXY line without an end within {V1_LONGEST} bytes")
    return _line(received[:end]), received[end:]


def _line(line: bytes) -> Header:
    if _V1_UNKNOWN.fullmatch(line):
        return Header()
    match = _V1_TCP.fullmatch(line)
    if match is None:
        raise HeaderError("a PROXY line that is not well-formed")
    family, source, destination, source_port, destination_port = match.groups()
    return Header(
        _end_of_line(family, source, source_port),
        _end_of_line(family, destination, destination_port),
    )


def _end_of_line(family: bytes, host: bytes, port: bytes) -> SocketAddress:
    kind = IPv4Address if family == b"4" else IPv6Address
    try:
        address = kind(host.decode("ascii"))
    except ValueError:
        raise HeaderError(
            f"a PROXY line without an IPv{family.decode()} address where one belongs"
        ) from None
    if int(port) > _HIGHEST_PORT:
        raise HeaderError(f"a PROXY line with a port above {_HIGHEST_PORT}")
    return SocketAddress(address, int(port))


def _parse_v2(received: bytes) -> tuple[Header, bytes] | None:
    if len(received) < _V2_FIXED:
        return None
    version_and_command, family, length = _V2_REST.unpack_from(received, len(_V2_START))
    command = _command(version_and_command)
    end = _V2_FIXED + length
    if end > V2_LONGEST:
        raise HeaderError(f"a PROXY header longer than {V2_LONGEST} bytes")
    known = _Family.UNSPECIFIED if command is _Command.LOCAL else _family(family)
    if length < _SIZES[known]:
        raise HeaderError("a PROXY header too short for its addresses")
    if len(received) < end:
        return None
    return _block(received[:end], command, known), received[end:]


def _command(byte: int) -> _Command:
    if byte >> 4 != _VERSION:
        raise HeaderError(f"a PROXY header of version {byte >> 4}")
    try:
        return _Command(byte & 0xF)
    except ValueError:
        raise HeaderError("a PROXY header with an unknown command") from None


def _family(byte: int) -> _Family:
    """Return the family; unspecified where the transport is, so that the real ends are kept."""
    try:
        family, transport = _Family(byte >> 4), _Transport(byte & 0xF)
    except ValueError:
        raise HeaderError("a PROXY header with an unknown family") from None
    return family if transport else _Family.UNSPECIFIED


def _block(whole: bytes, command: _Command, family: _Family) -> Header:
    """Read what follows the fixed part. Of unspecified ends nobody knows where the TLVs begin."""
    if family is _Family.UNSPECIFIED:
        return Header(local=command is _Command.LOCAL)
    tlvs = tuple(_tlvs(whole, _V2_FIXED + _SIZES[family]))
    if family is _Family.UNIX:
        return Header(tlvs=tlvs)
    layout = _V4_ENDS if family is _Family.INET else _V6_ENDS
    source, destination, source_port, destination_port = layout.unpack_from(whole, _V2_FIXED)
    kind = IPv4Address if family is _Family.INET else IPv6Address
    return Header(
        SocketAddress(kind(source), source_port),
        SocketAddress(kind(destination), destination_port),
        tlvs,
    )


def _tlvs(whole: bytes, at: int) -> Iterator[Tlv]:
    while at < len(whole):
        if at + _TLV.size > len(whole):
            raise HeaderError("a PROXY header that ends within a TLV")
        kind, length = _TLV.unpack_from(whole, at)
        at += _TLV.size
        value = whole[at : at + length]
        if len(value) < length:
            raise HeaderError("a PROXY header that ends within a TLV")
        if kind == TlvType.CRC32C:
            _verify(whole, at, value)
        elif kind == TlvType.UNIQUE_ID and length > LONGEST_UNIQUE_ID:
            raise HeaderError(f"a PROXY header with a unique id above {LONGEST_UNIQUE_ID} bytes")
        elif kind != TlvType.NOOP:
            yield Tlv(kind, value)
        at += length


def _verify(whole: bytes, at: int, value: bytes) -> None:
    """Compare the checksum at `at` with one over the header, in which it counts as zero (2.2.3)."""
    zeroed = whole[:at] + bytes(_CHECKSUM.size) + whole[at + _CHECKSUM.size :]
    if len(value) != _CHECKSUM.size or value != _CHECKSUM.pack(crc32c(zeroed)):
        raise HeaderError("a PROXY header with a wrong checksum")


def _ends(header: Header) -> tuple[SocketAddress, SocketAddress] | None:
    """Return both ends in one family and without zones, as both forms want them."""
    if header.local or header.source is None or header.destination is None:
        return None
    source, destination = _bare(header.source), _bare(header.destination)
    if source.host.version == destination.host.version:
        return source, destination
    return _mapped(source), _mapped(destination)


def _bare(end: SocketAddress) -> SocketAddress:
    zoned = isinstance(end.host, IPv6Address) and end.host.scope_id
    return SocketAddress(IPv6Address(int(end.host)), end.port) if zoned else end


def _mapped(end: SocketAddress) -> SocketAddress:
    v4 = unmapped(end.host)
    host = IPv6Address(0xFFFF << 32 | int(v4)) if isinstance(v4, IPv4Address) else v4
    return SocketAddress(host, end.port)


def _packed(source: SocketAddress, destination: SocketAddress, layout: Struct) -> bytes:
    return layout.pack(source.host.packed, destination.host.packed, source.port, destination.port)


def _chained(tlvs: Iterable[Tlv]) -> bytes:
    return b"".join(_TLV.pack(tlv.type, len(tlv.value)) + tlv.value for tlv in tlvs)
