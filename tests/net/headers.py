"""PROXY headers for tests: any that can be said, and bytes that are nearly one."""

from ipaddress import ip_address

from hypothesis import strategies as st

from netkit.net.addresses import SocketAddress
from netkit.net.proxyprotocol import Header, Tlv, TlvType

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
CLIENT = SocketAddress(ip_address("192.0.2.7"), 50000)
SERVER = SocketAddress(ip_address("192.0.2.1"), 443)
CLIENT6 = SocketAddress(ip_address("2001:db8::7"), 50000)
SERVER6 = SocketAddress(ip_address("2001:db8::1"), 443)
ENDS = bytes((192, 0, 2, 7, 192, 0, 2, 1)) + (50000).to_bytes(2) + (443).to_bytes(2)
LINE = b"PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n"

_ports = st.integers(0, 65535)
_v4_ends = st.builds(SocketAddress, st.ip_addresses(v=4), _ports)
_v6_ends = st.builds(SocketAddress, st.ip_addresses(v=6), _ports)
_framing = {TlvType.CRC32C, TlvType.NOOP}
tlvs = st.lists(
    st.builds(
        Tlv,
        st.integers(0, 255).filter(lambda kind: kind not in _framing),
        st.binary(max_size=100),
    ),
    max_size=4,
).map(tuple)
headers = st.one_of(
    st.builds(Header, _v4_ends, _v4_ends, tlvs),
    st.builds(Header, _v6_ends, _v6_ends, tlvs),
    st.just(Header(local=True)),
    st.just(Header()),
)


def block(ends: bytes = ENDS, tlvs: bytes = b"", first: int = 0x21, family: int = 0x11) -> bytes:
    """Return a header of version 2 whose length is right."""
    length = len(ends) + len(tlvs)
    return SIGNATURE + bytes((first, family)) + length.to_bytes(2) + ends + tlvs


def tlv(kind: int, value: bytes) -> bytes:
    """Return a TLV as it is written."""
    return bytes((kind,)) + len(value).to_bytes(2) + value


blocks = st.builds(
    block,
    st.one_of(st.sampled_from((0, 12, 36, 216)), st.integers(0, 40)).map(bytes),
    st.one_of(
        st.binary(max_size=12),
        st.lists(
            st.builds(tlv, st.integers(0, 40), st.binary(max_size=6)),
            max_size=3,
        ).map(b"".join),
    ),
    st.sampled_from((0x21, 0x21, 0x20, 0x22, 0x11)),
    st.sampled_from((0x11, 0x21, 0x00, 0x12, 0x22, 0x31, 0x32, 0x10, 0x01, 0x41, 0x13)),
)
_addresses = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(str),
    st.text("0123456789abcF.:%", max_size=12),
)
_written_ports = st.one_of(
    _ports.map(str), st.sampled_from(("", "080", "+1", "-1", "65536", "1_0"))
)
_blanks = st.sampled_from((" ", " ", " ", " ", " ", "  ", "\t", ""))


def _word(words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(_blanks, words).map("".join)


lines = st.tuples(
    st.just("PROXY"),
    _word(st.sampled_from(("TCP4", "TCP4", "TCP6", "TCP6", "UNKNOWN", "UDP4", "tcp4"))),
    _word(_addresses),
    _word(_addresses),
    _word(_written_ports),
    _word(_written_ports),
    st.sampled_from(("\r\n", "\r\n", "\r\n", "\n", "\r", "")),
).map(lambda parts: "".join(parts).encode())
