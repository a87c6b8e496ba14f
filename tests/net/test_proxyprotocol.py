"""PROXY headers: what is read, what is refused, and that the way the bytes come is all one."""

from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import SocketAddress
from netkit.net.proxyprotocol import (
    V1_LONGEST,
    V2_LONGEST,
    Header,
    HeaderError,
    Tlv,
    TlvType,
    crc32c,
    parse,
    to_v1,
    to_v2,
)
from tests.net.headers import (
    CLIENT,
    CLIENT6,
    ENDS,
    LINE,
    SERVER,
    SERVER6,
    SIGNATURE,
    block,
    blocks,
    headers,
    lines,
    tlv,
)

LINE6 = b"PROXY TCP6 2001:db8::7 2001:DB8:0:0:0:0:0:1 50000 443\r\n"
ENDS6 = CLIENT6.host.packed + SERVER6.host.packed + ENDS[8:]
UNIX = b"/run/a".ljust(108, b"\0") + b"/run/b".ljust(108, b"\0")
REFUSED = {
    b"GET / HTTP/1.1\r\n": "no PROXY header",
    b"P ": "no PROXY header",
    b"proxy TCP4": "no PROXY header",
    b"\x16\x03\x01": "no PROXY header",
    b"\r\n\r\n\x00\r\nQUIT\r": "no PROXY header",
    b"PROXY\tTCP4 192.0.2.7 192.0.2.1 1 2\r\n": "no PROXY header",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\r\n": "not well-formed",
    b"PROXY  TCP4 192.0.2.7 192.0.2.1 1 2\r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7  192.0.2.1 1 2\r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2 \r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 +1 2\r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 -1 2\r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1 \xb2\r\n": "not well-formed",
    b"PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n": "not well-formed",
    b"PROXY UNKNOWNS\r\n": "not well-formed",
    b"PROXY UNKNOWN \n anything\r\n": "not well-formed",
    b"PROXY \r\n": "not well-formed",
    b"PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n": "a port above 65535",
    b"PROXY TCP4 192.0.2.007 192.0.2.1 1 2\r\n": "without an IPv4 address",
    b"PROXY TCP4 192.0.2 192.0.2.1 1 2\r\n": "without an IPv4 address",
    b"PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n": "without an IPv4 address",
    b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n": "without an IPv4 address",
    b"PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n": "without an IPv6 address",
    b"PROXY TCP6 2001:db8::7::1 2001:db8::1 1 2\r\n": "without an IPv6 address",
    b"PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n": "not well-formed",
    b"PROXY UNKNOWN " + b"x" * V1_LONGEST: "without an end within 107 bytes",
    b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n": "without an end within 107 bytes",
    block(first=0x11): "version 1",
    block(first=0x31): "version 3",
    block(first=0x22): "an unknown command",
    block(family=0x41): "an unknown family",
    block(family=0x13): "an unknown family",
    block(ENDS[:-1]): "too short for its addresses",
    block(b""): "too short for its addresses",
    block(ENDS, family=0x21): "too short for its addresses",
    block(UNIX[:-1], family=0x31): "too short for its addresses",
    SIGNATURE + b"\x21\x11\xff\xff": "longer than 4096 bytes",
    SIGNATURE + b"\x20\x00\x0f\xf1": "longer than 4096 bytes",
    block(tlvs=b"\x01"): "ends within a TLV",
    block(tlvs=b"\x01\x00"): "ends within a TLV",
    block(tlvs=b"\x01\x00\x02h"): "ends within a TLV",
    block(tlvs=tlv(1, b"h2") + b"\x04\xff\xff"): "ends within a TLV",
    block(tlvs=tlv(TlvType.UNIQUE_ID, b"x" * 129)): "a unique id above 128 bytes",
    block(tlvs=tlv(TlvType.CRC32C, bytes(4))): "a wrong checksum",
    block(tlvs=tlv(TlvType.CRC32C, bytes(3))): "a wrong checksum",
    block(UNIX, tlv(TlvType.CRC32C, bytes(4)), family=0x31): "a wrong checksum",
}


def outcome(data: bytes) -> tuple[Header, bytes] | str | None:
    """Return what `parse` returns, or the words of its refusal."""
    try:
        return parse(data)
    except HeaderError as error:
        return str(error)


def in_pieces(data: bytes, sizes: list[int]) -> tuple[Header, bytes] | str | None:
    """Return the outcome where `data` comes in pieces, and all that is left behind the header."""
    at = 0
    for size in [*sizes, len(data)]:
        at += size
        found = outcome(data[:at])
        if found is not None:
            return (found[0], found[1] + data[at:]) if isinstance(found, tuple) else found
    return None


class V1Tests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """A line names both ends; what comes behind it is not touched."""
        self.assertEqual(parse(LINE + b"\x16\x03"), (Header(CLIENT, SERVER), b"\x16\x03"))
        self.assertEqual(parse(LINE6), (Header(CLIENT6, SERVER6), b""))

    def test_unknown(self) -> None:
        """UNKNOWN keeps the real ends, whatever follows up to the end of the line."""
        for line in (
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN \r\n",
            b"PROXY UNKNOWN ffff:f::1 ::1 65535 65535\r\n",
            b"PROXY UNKNOWN \x00\xff\r\r\n",
            b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n",
        ):
            with self.subTest(line):
                self.assertEqual(parse(line + b"rest"), (Header(), b"rest"))

    def test_longest(self) -> None:
        """The longest line of the specification is read."""
        ends = b"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        line = b"PROXY TCP6 " + ends + b" " + ends + b" 65535 65535\r\n"
        self.assertEqual(len(line), 104)
        top = SocketAddress(ip_address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535)
        self.assertEqual(parse(line), (Header(top, top), b""))

    def test_mapped(self) -> None:
        """An IPv4 address mapped to IPv6 is read as C libraries print it."""
        parsed = parse(b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 1 2\r\n")
        assert parsed is not None
        assert parsed[0].source is not None
        self.assertEqual(parsed[0].source.host, ip_address("::ffff:192.0.2.7"))


class V2Tests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """A block names both ends, of streams and of datagrams."""
        for transport in (1, 2):
            with self.subTest(transport):
                self.assertEqual(
                    parse(block(ENDS, family=0x10 | transport) + b"rest"),
                    (Header(CLIENT, SERVER), b"rest"),
                )
                self.assertEqual(
                    parse(block(ENDS6, family=0x20 | transport)), (Header(CLIENT6, SERVER6), b"")
                )

    def test_local(self) -> None:
        """LOCAL keeps the real ends; its block is left out unread, whatever its family."""
        for family in (0x00, 0x11, 0x31, 0xFF):
            for ends in (b"", ENDS, b"\x04"):
                with self.subTest(f"{family} {ends!r}"):
                    self.assertEqual(
                        parse(block(ends, first=0x20, family=family) + b"rest"),
                        (Header(local=True), b"rest"),
                    )

    def test_unspecified(self) -> None:
        """An unspecified family or transport keeps the real ends; its block is left out unread."""
        for family in (0x00, 0x01, 0x02, 0x10, 0x20, 0x30):
            with self.subTest(family):
                self.assertEqual(parse(block(b"\x04\xff", family=family)), (Header(), b""))

    def test_unix(self) -> None:
        """UNIX addresses keep the real ends; what follows them is read."""
        parsed = parse(block(UNIX, tlv(TlvType.UNIQUE_ID, b"7"), family=0x31))
        self.assertEqual(parsed, (Header(tlvs=(Tlv(TlvType.UNIQUE_ID, b"7"),)), b""))

    def test_tlvs(self) -> None:
        """What follows the addresses is kept in order, known or not, padding left out."""
        written = tlv(TlvType.AUTHORITY, b"a.example") + tlv(TlvType.NOOP, b"\0\0") + tlv(0xEA, b"")
        parsed = parse(block(tlvs=written))
        self.assertEqual(
            parsed, (Header(CLIENT, SERVER, (Tlv(2, b"a.example"), Tlv(0xEA, b""))), b"")
        )

    def test_longest(self) -> None:
        """The longest header is read."""
        padding = tlv(TlvType.NOOP, bytes(V2_LONGEST - 16 - 12 - 3))
        self.assertEqual(len(block(tlvs=padding)), V2_LONGEST)
        self.assertEqual(parse(block(tlvs=padding)), (Header(CLIENT, SERVER), b""))

    def test_checksum(self) -> None:
        """A right checksum passes and one wrong bit anywhere does not."""
        written = to_v2(Header(CLIENT, SERVER, (Tlv(1, b"h2"),)), checksum=True)
        self.assertEqual(parse(written), (Header(CLIENT, SERVER, (Tlv(1, b"h2"),)), b""))
        for at in range(len(written)):
            spoilt = written[:at] + bytes((written[at] ^ 1,)) + written[at + 1 :]
            with self.subTest(at):
                self.assertNotEqual(outcome(spoilt), outcome(written))

    def test_checksum_elsewhere(self) -> None:
        """The checksum may stand before other TLVs."""
        zeroed = block(tlvs=tlv(TlvType.CRC32C, bytes(4)) + tlv(1, b"h2"))
        at = 16 + 12 + 3
        written = zeroed[:at] + crc32c(zeroed).to_bytes(4) + zeroed[at + 4 :]
        self.assertEqual(parse(written), (Header(CLIENT, SERVER, (Tlv(1, b"h2"),)), b""))

    def test_crc32c(self) -> None:
        """The checksum is that of RFC 3720, appendix B.4."""
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)
        self.assertEqual(crc32c(bytes(32)), 0x8A9136AA)
        self.assertEqual(crc32c(b"\xff" * 32), 0x62A8AB43)
        self.assertEqual(crc32c(bytes(range(32))), 0x46DD794E)
        self.assertEqual(crc32c(b""), 0)


class RefusalTests(SynchronousTestCase):
    def test_refused(self) -> None:
        """Each sort of slip is told in its own words, which repeat nothing of the bytes."""
        for data, said in REFUSED.items():
            with self.subTest(data[:60]):
                error = self.assertRaises(HeaderError, parse, data)
                self.assertIn(said, str(error))
                self.assertTrue(str(error).isprintable())

    def test_at_once(self) -> None:
        """What can be no header is refused with its first wrong byte, and a lie with the length."""
        self.assertEqual(outcome(b"G"), "no PROXY header")
        self.assertEqual(outcome(b"\r\n\r\r"), "no PROXY header")
        self.assertEqual(
            outcome(SIGNATURE + b"\x21\x11\x00\x0b"), "a PROXY header too short for its addresses"
        )
        self.assertIsNone(outcome(SIGNATURE + b"\x21\x11\x00\x0c"))

    def test_nothing(self) -> None:
        """Nothing is not yet anything."""
        self.assertIsNone(parse(b""))

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(), blocks, lines))
    def test_bounded(self, data: bytes) -> None:
        """However it begins, with the longest header's bytes there is an answer."""
        self.assertIsNotNone(outcome(data.ljust(V2_LONGEST, b"\0")))

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.binary(), blocks, lines))
    def test_nothing_else(self, data: bytes) -> None:
        """Whatever comes is a header, the beginning of one, or refused in words for a log."""
        found = outcome(data)
        self.assertTrue(not isinstance(found, str) or found.isprintable())


class SplitTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(headers, st.booleans(), st.binary(max_size=20), st.lists(st.integers(1, 40)))
    def test_right(self, header: Header, text: bool, rest: bytes, sizes: list[int]) -> None:
        """However a header is cut, it is the same header and the same rest."""
        data = (to_v1(header) if text else to_v2(header, checksum=True)) + rest
        whole = outcome(data)
        self.assertIsInstance(whole, tuple)
        self.assertEqual(in_pieces(data, sizes), whole)
        self.assertEqual(in_pieces(data, [1] * len(data)), whole)

    @settings(deadline=None, max_examples=300)
    @given(st.one_of(st.binary(), blocks, lines), st.lists(st.integers(1, 40)))
    def test_wrong(self, data: bytes, sizes: list[int]) -> None:
        """However wrong bytes are cut, they are refused in the same words."""
        self.assertEqual(in_pieces(data, sizes), outcome(data))
        self.assertEqual(in_pieces(data, [1] * len(data)), outcome(data))

    def test_refusals(self) -> None:
        """Each slip of the table is told in the same words byte by byte."""
        for data in REFUSED:
            with self.subTest(data[:60]):
                self.assertEqual(in_pieces(data, [1] * len(data)), outcome(data))

    @settings(deadline=None, max_examples=50)
    @given(headers, st.booleans())
    def test_unfinished(self, header: Header, text: bool) -> None:
        """No beginning of a header is taken for a header or refused."""
        data = to_v1(header) if text else to_v2(header, checksum=True)
        self.assertEqual({outcome(data[:at]) for at in range(len(data))}, {None})


class EncoderTests(SynchronousTestCase):
    def test_text(self) -> None:
        """Version 1 is the line of the specification."""
        self.assertEqual(to_v1(Header(CLIENT, SERVER)), LINE)
        self.assertEqual(to_v1(Header(local=True)), b"PROXY UNKNOWN\r\n")
        self.assertEqual(to_v1(Header()), b"PROXY UNKNOWN\r\n")

    def test_binary(self) -> None:
        """Version 2 is the block of the specification."""
        self.assertEqual(to_v2(Header(CLIENT, SERVER)), block())
        self.assertEqual(to_v2(Header(local=True)), SIGNATURE + b"\x20\x00\x00\x00")
        self.assertEqual(to_v2(Header()), SIGNATURE + b"\x21\x00\x00\x00")

    def test_two_families(self) -> None:
        """Ends of two families are both said in IPv6."""
        mixed = Header(CLIENT, SERVER6)
        mapped = SocketAddress(ip_address("::ffff:192.0.2.7"), CLIENT.port)
        for written in (to_v1(mixed), to_v2(mixed)):
            self.assertEqual(parse(written), (Header(mapped, SERVER6), b""))

    def test_zone(self) -> None:
        """A zone, which says nothing to another host, is left out."""
        zoned = Header(SocketAddress(ip_address("fe80::1%eth0"), 1), SERVER6)
        bare = Header(SocketAddress(ip_address("fe80::1"), 1), SERVER6)
        for written in (to_v1(zoned), to_v2(zoned)):
            self.assertEqual(parse(written), (bare, b""))

    def test_too_long(self) -> None:
        """A header that our own side would refuse is not written."""
        padding = V2_LONGEST - 16 - 12 - 3
        self.assertEqual(len(to_v2(Header(CLIENT, SERVER, (Tlv(4, bytes(padding)),)))), V2_LONGEST)
        for checksum, more in ((False, 1), (True, 0)):
            header = Header(CLIENT, SERVER, (Tlv(4, bytes(padding + more)),))
            error = self.assertRaises(ValueError, to_v2, header, checksum=checksum)
            self.assertEqual(str(error), "a PROXY header has at most 4096 bytes")

    @settings(deadline=None, max_examples=200)
    @given(headers, st.booleans())
    def test_round_trip(self, header: Header, checksum: bool) -> None:
        """What is written in version 2 is read as it was."""
        self.assertEqual(parse(to_v2(header, checksum=checksum)), (header, b""))

    @settings(deadline=None, max_examples=200)
    @given(headers)
    def test_round_trip_of_text(self, header: Header) -> None:
        """What is written in version 1 is read as it was, what it has no words for apart."""
        self.assertEqual(parse(to_v1(header)), (Header(header.source, header.destination), b""))
