"""Forwarded and X-Forwarded-For: what they say, and how far it is believed."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.forwarded import (
    FIELD_BYTES,
    HOPS,
    READERS,
    ClientField,
    client,
    element,
    elements,
    forwarded_for,
    listed,
    node,
    node_address,
)
from netkit.net.addresses import Address, unmapped

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
PROXY = ip_address("10.0.0.1")
VISITOR = ip_address("192.0.2.7")
FORGED = ip_address("203.0.113.9")

ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF).filter(lambda c: c != "\x7f"))
NAMES = st.text("abcdefghijklmnopqrstuvwxyz_-!", min_size=1, max_size=5)


def addresses(value: bytes) -> list[Address | None]:
    return list(listed(value))


class Listed(SynchronousTestCase):
    def test_forms(self) -> None:
        """Addresses may have ports and brackets; mapped ones are IPv4; the nearest comes first."""
        self.assertEqual(
            addresses(b"192.0.2.7, 192.0.2.8:80 ,\t::ffff:192.0.2.9,2001:db8::1,[2001:db8::2]:443"),
            [
                IPv6Address("2001:db8::2"),
                IPv6Address("2001:db8::1"),
                IPv4Address("192.0.2.9"),
                IPv4Address("192.0.2.8"),
                IPv4Address("192.0.2.7"),
            ],
        )

    def test_rubbish(self) -> None:
        """What is no plain address is none, though a C library might take it for one."""
        for value in (b"", b"unknown", b"_hidden", b"127.1", b"0x7f.0.0.1", b"010.0.0.1", b"host"):
            self.assertEqual(addresses(value), [None], value)
        for value in (b"[::1", b"::1]", b"[::1]:", b"1.2.3.4:", b"fe80::1%eth0", b"[fe80::1%1]"):
            self.assertEqual(addresses(value), [None], value)
        for value in (b"1.2.3.4:123456", b"1.2.3.4 5", b"\xff", b"1.2.3.4\x00", b"[1.2.3.4]"):
            self.assertEqual(addresses(value), [None], value)

    def test_bounded(self) -> None:
        """Of more proxies than there is reason for the nearest are looked at."""
        value = b"192.0.2.7," * 100 + b"192.0.2.8"
        found = addresses(value)
        self.assertEqual((len(found), found[0]), (HOPS, IPv4Address("192.0.2.8")))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(ADDRESSES, min_size=1, max_size=HOPS))
    def test_any_addresses(self, given_: list[Address]) -> None:
        """Any list of addresses is read as it was written."""
        value = ", ".join(map(str, given_)).encode()
        self.assertEqual(addresses(value), [unmapped(each) for each in reversed(given_)])


class Elements(SynchronousTestCase):
    def test_examples(self) -> None:
        """The examples of RFC 7239 4 and 7.1 are read as it explains them."""
        self.assertEqual(list(elements(b'for="_gazonk"')), [{"for": "_gazonk"}])
        self.assertEqual(
            list(elements(b'For="[2001:db8:cafe::17]:4711"')),
            [{"for": "[2001:db8:cafe::17]:4711"}],
        )
        self.assertEqual(
            list(elements(b"for=192.0.2.60;proto=http;by=203.0.113.43")),
            [{"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}],
        )
        self.assertEqual(
            list(elements(b"for=192.0.2.43, for=198.51.100.17")),
            [{"for": "198.51.100.17"}, {"for": "192.0.2.43"}],
        )

    def test_odd_but_right(self) -> None:
        """Empty elements and pairs, quoted commas and escapes are part of the form."""
        self.assertEqual(
            list(elements(rb' ,;for=a; ;x="1,\"2\\" , ,')), [{"for": "a", "x": '1,"2\\'}]
        )
        self.assertEqual(list(elements(b"")), [])

    def test_ill_formed(self) -> None:
        """An element that is not well-formed is told as that, alone."""
        for wrong in (b"for", b"for=", b"for=a b", b"for=::1", b'for="a', b"for=a;FOR=b", b"=a"):
            self.assertEqual(
                list(elements(b"for=x, " + wrong + b", for=y"))[:2], [{"for": "y"}, None], wrong
            )
        for wrong in (b'for="a"b', b"for=a, for =b", b'for="\x00"', b'for="\\\x1b"', b"\x80=a"):
            self.assertIsNone(next(elements(wrong)), wrong)

    def test_open_quote(self) -> None:
        """A quote left open by a client does not swallow what the proxy wrote behind it."""
        for forged in (b'"', b'for="', b'for="a\\', b'for="\\"', b'for="x, for=203.0.113.9'):
            for true in (b"for=192.0.2.7", b'for="[::ffff:192.0.2.7]:1";host="a,b\\"c"'):
                found = next(forwarded_for(forged + b", " + true))
                self.assertEqual(found, VISITOR, forged)

    def test_bounded(self) -> None:
        """A long field is read from its end, and what was cut in the middle is not taken for whole."""
        self.assertEqual(len(list(elements(b"for=a," * 100))), HOPS)
        value = b"for=" + b"a" * FIELD_BYTES + b",for=b"
        self.assertEqual(list(elements(value)), [{"for": "b"}])

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.dictionaries(NAMES, TEXT, min_size=1, max_size=3), max_size=5))
    def test_round_trip(self, given_: list[dict[str, str]]) -> None:
        """What is written is read again, whatever stands in the values."""
        value = ", ".join(map(element, given_)).encode("latin-1")
        self.assertEqual(list(elements(value)), given_[::-1])

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=80), st.dictionaries(NAMES, TEXT, min_size=1, max_size=3))
    def test_forged(self, forged: bytes, true: dict[str, str]) -> None:
        """Nothing that a client sends changes what the proxy adds to it."""
        value = forged + b", " + element(true).encode("latin-1")
        self.assertEqual(next(elements(value)), true)

    @settings(deadline=None, max_examples=200)
    @given(st.text('for="\\;, a1.:[]', max_size=60).map(str.encode) | st.binary(max_size=60))
    def test_any_bytes(self, value: bytes) -> None:
        """Any bytes give elements or None, in a bounded number, and no exception."""
        for read in READERS.values():
            self.assertLessEqual(len(list(read(value))), HOPS)

    def test_unsendable(self) -> None:
        """What no field may hold is not written."""
        for wrong in ({"for": "a\r\nb"}, {"for": "\x00"}, {"for": "\u20ac"}, {"f r": "a"}):
            with self.assertRaises(ValueError):
                element(wrong)


class Nodes(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(ADDRESSES)
    def test_round_trip(self, address: Address) -> None:
        """An address written as a node is read again."""
        value = element({"for": node(address)}).encode()
        self.assertEqual(list(forwarded_for(value)), [unmapped(address)])

    def test_hidden(self) -> None:
        """Nodes that hide, or are missing, have no address."""
        self.assertEqual(list(forwarded_for(b"by=1.2.3.4, for=unknown, for=_x")), [None] * 3)
        self.assertIsNone(node_address("unknown"))


class Clients(SynchronousTestCase):
    def found(self, value: str, peer: Address | None = PROXY) -> Address | None:
        """Return whose request it is, by X-Forwarded-For."""
        return client(peer, READERS[ClientField.X_FORWARDED_FOR](value.encode()), PROXIES)

    def test_trusted(self) -> None:
        """Whom a trusted proxy names is the client, however many trusted ones are between."""
        self.assertEqual(self.found("192.0.2.7"), VISITOR)
        self.assertEqual(self.found("192.0.2.7, fd00::1, 10.1.1.1"), VISITOR)
        self.assertEqual(self.found("192.0.2.7", None), VISITOR)

    def test_forged(self) -> None:
        """What stands left of the first address that is not trusted is not believed."""
        self.assertEqual(self.found("203.0.113.9, 192.0.2.7, 10.1.1.1"), VISITOR)
        self.assertEqual(self.found("203.0.113.9", VISITOR), VISITOR)

    def test_rubbish(self) -> None:
        """Behind rubbish nothing is believed: the client is the last that was vouched for."""
        self.assertEqual(self.found("203.0.113.9, rubbish"), PROXY)
        self.assertEqual(self.found("203.0.113.9, rubbish, 10.1.1.1"), ip_address("10.1.1.1"))
        self.assertIsNone(self.found("rubbish", None))

    def test_all_trusted(self) -> None:
        """Where everybody is trusted the client is the furthest."""
        self.assertEqual(self.found("10.2.2.2, 10.1.1.1"), ip_address("10.2.2.2"))

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=60).filter(lambda value: b"," not in value), st.booleans())
    def test_any_forgery(self, forged: bytes, forwarded: bool) -> None:
        """Whatever a client sends along, it is who the proxy saw."""
        value = forged + (b", for=192.0.2.7" if forwarded else b", 192.0.2.7")
        field = ClientField.FORWARDED if forwarded else ClientField.X_FORWARDED_FOR
        self.assertEqual(client(PROXY, READERS[field](value), PROXIES), VISITOR)
