"""What field values are made of."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.fields import MOST_ITEMS, Item, is_token, item, items, members, unquoted, weight

ODD = st.lists(st.sampled_from([b'"', b"\\", b",", b";", b"=", b" ", b"a", b"q", b"0", b"\xff"]))


class Lists(SynchronousTestCase):
    def test_members(self) -> None:
        """Commas part members, except in quoted strings, and empty members are none."""
        for value, expected in (
            (b"", ()),
            (b" , ,, ", ()),
            (b"a", (b"a",)),
            (b"a, b\t,c ,", (b"a", b"b", b"c")),
            (b'a="x,y", b', (b'a="x,y"', b"b")),
            (b'a="x\\",y", b', (b'a="x\\",y"', b"b")),
            (b'a, "b, c', (b"a", b'"b, c')),
            (b'"\\', (b'"\\',)),
        ):
            self.assertEqual(members(value), expected)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.from_regex(rb"[!#-+\--~]+", fullmatch=True)))
    def test_simple_lists(self, values: list[bytes]) -> None:
        """Whatever has no comma, quote or blank comes out as it went in."""
        self.assertEqual(members(b" ,\t".join(values)), tuple(values))

    def test_long(self) -> None:
        """A value of 64 KiB takes one pass, whatever it is made of."""
        for piece in (b'"', b"\\", b'"\\', b",", b'a"', b";q=", b'="'):
            items(piece * (65536 // len(piece)))


class Parameters(SynchronousTestCase):
    def test_item(self) -> None:
        """A value comes with its parameters, names in lower case and quotes taken off."""
        for member, value, parameters in (
            (b"Text/HTML", b"text/html", {}),
            (b'a; B=c ;d="e;f\\"" ', b"a", {b"b": b"c", b"d": b'e;f"'}),
            (b"a;b;=c;d=;e=f", b"a", {b"e": b"f"}),
            (b"a;b=1;b=2", b"a", {b"b": b"1"}),
            (b"", b"", {}),
            (b";", b"", {}),
        ):
            self.assertEqual(item(member), Item(value, parameters))

    def test_weights(self) -> None:
        """A weight has at most three decimals and is at most 1; another is as if absent."""
        for written, thousandths in (
            (b"0", 0),
            (b"0.", 0),
            (b"0.5", 500),
            (b"0.123", 123),
            (b"0.001", 1),
            (b"1", 1000),
            (b"1.000", 1000),
            (b"1.5", 1000),
            (b"-1", 1000),
            (b"0.1234", 1000),
            (b"x", 1000),
        ):
            self.assertEqual(weight(written), thousandths)
        self.assertEqual([each.weight for each in items(b"a, b;Q=0.2, c;q=")], [1000, 200, 1000])

    def test_unquoted(self) -> None:
        """A quoted string loses its quotes and escapes, a token stays, all else is nothing."""
        for value, expected in (
            (b"a", b"a"),
            (b'""', b""),
            (b'"a\\b\\\\"', b"ab\\"),
            (b"", None),
            (b"a b", None),
            (b'"a', None),
            (b'"a\\"', None),
            (b'"a"b', None),
        ):
            self.assertEqual(unquoted(value), expected)
        self.assertTrue(is_token(b"a!"))
        self.assertFalse(is_token(b"a/") or is_token(b""))


class Bounds(SynchronousTestCase):
    def test_items(self) -> None:
        """Of a list of preferences without end the first are looked at; of other lists all are."""
        value = b"a," * 2 * MOST_ITEMS
        self.assertEqual(len(items(value)), MOST_ITEMS)
        self.assertEqual(len(members(value)), 2 * MOST_ITEMS)


class Anything(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(st.one_of(st.binary(), ODD.map(b"".join)))
    @example(b'"\\')
    def test_never_raises(self, value: bytes) -> None:
        """Any bytes are taken apart, and weights stay between nothing and the whole."""
        for each in items(value):
            self.assertTrue(0 <= each.weight <= 1000)
        self.assertLessEqual(sum(map(len, members(value))), len(value))
