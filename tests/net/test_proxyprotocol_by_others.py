"""PROXY headers compared with the PyPI package proxy-protocol, which others have written."""

from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from socket import SOCK_STREAM
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import SocketAddress
from netkit.net.proxyprotocol import Header, HeaderError, Tlv, TlvType, parse, to_v1, to_v2
from tests.net.headers import blocks, headers, lines

MISSING = (
    "the package proxy-protocol is not installed" if find_spec("proxyprotocol") is None else None
)
FRAMING = {TlvType.CRC32C, TlvType.NOOP}
HALF_SPECIFIED = {0x01, 0x02, 0x10, 0x20, 0x30}  # to them an address, to us none


def theirs(module: str, name: str) -> Any:
    """Return what their package has under that name."""
    return getattr(import_module(f"proxyprotocol.{module}"), name)


def as_header(result: Any) -> Header:
    """Return their result in our words."""
    if not result.proxied:
        return Header(local=True)
    if result.type.name not in {"IPv4", "IPv6"}:
        return Header(tlvs=as_tlvs(result.tlv))
    source, destination = (
        SocketAddress(ip_address(host), port) for host, port in (result.source, result.dest)
    )
    return Header(source, destination, as_tlvs(result.tlv))


def as_tlvs(known: Any) -> tuple[Tlv, ...]:
    """Return their TLVs in our words."""
    return tuple(Tlv(kind, known[kind]) for kind in sorted(known) if kind not in FRAMING)


def last_of_each(header: Header) -> Header:
    """Return `header` with the last TLV of each type, which is what they keep."""
    last = {tlv.type: tlv for tlv in header.tlvs}
    return evolve(header, tlvs=tuple(last[kind] for kind in sorted(last)))


def as_result(header: Header) -> Any:
    """Return a header of ours that has addresses in their words."""
    assert header.source is not None
    assert header.destination is not None
    kind = theirs("result", f"ProxyResultIPv{header.source.host.version}")
    return kind(
        (header.source.host, header.source.port),
        (header.destination.host, header.destination.port),
        protocol=SOCK_STREAM,
        tlv=theirs("tlv", "ProxyProtocolTLV")(init={tlv.type: tlv.value for tlv in header.tlvs}),
    )


class ReadingTests(SynchronousTestCase):
    skip = MISSING

    def compare(self, data: bytes) -> None:
        """Check that what is a header to us is the same one to them."""
        try:
            parsed = parse(data)
        except HeaderError:
            return
        if parsed is not None:
            header, rest = parsed
            result = theirs("detect", "ProxyProtocolDetect")().unpack(data.removesuffix(rest))
            self.assertEqual(as_header(result), last_of_each(header))

    @settings(deadline=None, max_examples=300)
    @given(lines)
    def test_lines(self, data: bytes) -> None:
        """No line is read otherwise than they read it."""
        self.compare(data)

    @settings(deadline=None, max_examples=300)
    @given(blocks.filter(lambda data: data[12] == 0x21 and data[13] not in HALF_SPECIFIED))
    def test_blocks(self, data: bytes) -> None:
        """No block is read otherwise than they read it."""
        self.compare(data)


class WritingTests(SynchronousTestCase):
    skip = MISSING

    @settings(deadline=None, max_examples=200)
    @given(headers)
    def test_ours(self, header: Header) -> None:
        """What we write they read as we meant it."""
        ordered = last_of_each(header)
        binary = theirs("v2", "ProxyProtocolV2")().unpack(to_v2(ordered))
        text = theirs("v1", "ProxyProtocolV1")().unpack(to_v1(header))
        self.assertEqual(as_header(binary), ordered)
        self.assertEqual(as_header(text), Header(header.source, header.destination))

    @settings(deadline=None, max_examples=200)
    @given(headers)
    def test_checksum(self, header: Header) -> None:
        """Our checksum is theirs; they verify one behind TLVs of lower types only."""
        low = tuple(tlv for tlv in last_of_each(header).tlvs if tlv.type < TlvType.CRC32C)
        sparse = evolve(header, tlvs=low)
        result = theirs("v2", "ProxyProtocolV2")().unpack(to_v2(sparse, checksum=True))
        self.assertEqual(as_header(result), sparse)

    @settings(deadline=None, max_examples=200)
    @given(headers.filter(lambda header: header.source is not None))
    def test_theirs(self, header: Header) -> None:
        """What they write we read as they meant it, with a checksum where they can make one."""
        ordered = last_of_each(header)
        result = as_result(ordered)
        binary = theirs("v2", "ProxyProtocolV2")().pack(result)
        text = theirs("v1", "ProxyProtocolV1")().pack(result)
        self.assertEqual(parse(binary), (ordered, b""))
        self.assertEqual(parse(text), (Header(header.source, header.destination), b""))

    def test_neither_end(self) -> None:
        """What they write of a proxy itself, and of ends unknown, we read as they meant it."""
        pack = theirs("v2", "ProxyProtocolV2")().pack
        self.assertEqual(
            parse(pack(theirs("result", "ProxyResultLocal")())), (Header(local=True), b"")
        )
        self.assertEqual(parse(pack(theirs("result", "ProxyResultUnknown")())), (Header(), b""))
        text = theirs("v1", "ProxyProtocolV1")().pack(theirs("result", "ProxyResultUnknown")())
        self.assertEqual(parse(text), (Header(), b""))
