"""Tests of the identities that a server has."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.identities import Identities, host_name
from tests.net.authorities import DAY, NOW, identities, issued

ONE = identities(issued("a.example"))


class NameTests(SynchronousTestCase):
    """Who answers to a name that a client sends."""

    def answer(self, members: Identities, name: bytes | None) -> str:
        """Return the first name of who answers to `name`."""
        return members.answering(name).names[0]

    def test_exact_then_wildcard_then_default(self) -> None:
        """The whole name goes before a wildcard, and a wildcard stands for one label, the first."""
        members = identities(
            issued("default.example"), issued("*.b.example"), issued("www.b.example")
        )
        for name, answer in (
            (b"www.b.example", "www.b.example"),
            (b"mail.b.example", "*.b.example"),
            (b"WWW.B.Example.", "www.b.example"),
            (b"Mail.b.example", "*.b.example"),
            (b"b.example", "default.example"),
            (b"a.mail.b.example", "default.example"),
            (b".b.example", "default.example"),
            (b"other.example", "default.example"),
            (b"", "default.example"),
            (None, "default.example"),
        ):
            self.assertEqual(self.answer(members, name), answer, name)

    def test_nobody(self) -> None:
        """It can be told that a name is nobody's."""
        members = identities(issued("a.example"))
        self.assertIsNone(members.named(b"b.example"))
        self.assertIsNone(members.named(None))
        self.assertIsNotNone(members.named(b"a.example"))

    def test_addresses(self) -> None:
        """IP addresses are names, for clients that send them though RFC 6066 forbids it."""
        members = identities(issued("a.example"), issued("b.example", "192.0.2.1", "2001:db8::1"))
        self.assertEqual(members.members[1].names, ("b.example", "192.0.2.1", "2001:db8::1"))
        self.assertEqual(self.answer(members, b"192.0.2.1"), "b.example")

    def test_the_common_name_counts_for_nothing(self) -> None:
        """Only the subjectAltName has names (RFC 9525 2)."""
        members = identities(issued("a.example"), issued(subject="b.example"))
        self.assertEqual(members.members[1].names, ())
        self.assertIsNone(members.named(b"b.example"))

    def test_names_that_are_none(self) -> None:
        """A wildcard anywhere but as the whole first label is no name, nor is any other oddity."""
        pair = issued("a.example", "w*.example", "a.*.example", "*", "*.*.example", "a b.example")
        self.assertEqual(identities(pair).members[0].names, ("a.example",))

    def test_the_default_is_the_first_that_has_names(self) -> None:
        """The order of the files decides, and who has no names comes last."""
        nameless, one, two = issued(subject="x"), issued("one.example"), issued("two.example")
        self.assertEqual(self.answer(identities(nameless, two, one), None), "two.example")
        self.assertEqual(identities(nameless).default.certificate, nameless.certificate)

    def test_the_longest_valid_answers(self) -> None:
        """Of two with one name, as around a renewal, the one that is valid longest answers."""
        old, new = issued("a.example", days=2), issued("a.example", days=90)
        for members in (identities(old, new), identities(new, old)):
            self.assertEqual(members.answering(b"a.example").certificate, new.certificate)
            self.assertEqual(members.default.certificate, new.certificate)
            self.assertEqual(members.expires, NOW + 2 * DAY)

    def test_of_equals_the_first(self) -> None:
        """Of two with one name that are valid equally long, the first answers."""
        one, two = issued("a.example"), issued("a.example")
        self.assertEqual(identities(one, two).default.certificate, one.certificate)

    def test_length(self) -> None:
        """A name of 253 characters is the longest."""
        longest = "a." * 126 + "a"
        self.assertEqual(host_name(longest.encode()), longest)
        self.assertEqual(host_name(longest.encode() + b"."), longest)
        self.assertEqual(host_name(longest.encode() + b"a"), "")
        self.assertEqual(host_name(b"a" * 10_000_000), "")

    @given(st.binary(max_size=300))
    @settings(deadline=None, max_examples=200)
    def test_any_bytes(self, name: bytes) -> None:
        """Whatever bytes come as a name, somebody answers."""
        self.assertEqual(self.answer(ONE, name), "a.example")


class EqualityTests(SynchronousTestCase):
    """Whether something has changed."""

    def test_equal(self) -> None:
        """The same files read again are equal to what they were; other ones are not."""
        one, two = issued("one.example"), issued("one.example")
        self.assertEqual(identities(one), identities(one))
        self.assertNotEqual(identities(one), identities(two))
