"""Hashes of passwords: their form, what they may cost, and that no name is told from another."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.passwords import Cost, PasswordHash, Passwords, hashed, parse

QUICK = Cost(ln=9, r=8, p=1)
DEARER = Cost(ln=10, r=8, p=1)
OF_PASSLIB = (  # from passlib's documentation, by an implementation that is not ours
    "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"
)


class Hashes(SynchronousTestCase):
    def test_round_trip(self) -> None:
        """A hash is read as it is written, and matches its password alone."""
        made = hashed("sesame", QUICK)
        self.assertEqual(parse(str(made)), made)
        self.assertTrue(parse(str(made)).matches("sesame"))
        self.assertFalse(made.matches("Sesame"))
        self.assertNotEqual(hashed("sesame", QUICK), made)

    def test_of_others(self) -> None:
        """A hash that another program has made is understood."""
        self.assertTrue(parse(OF_PASSLIB).matches("password"))

    def test_default_cost(self) -> None:
        """What is made costs at least what was advised when this was written (OWASP, 2^15 · 3)."""
        self.assertGreaterEqual(Cost().work, 2**15 * 8 * 3)
        self.assertEqual(
            str(PasswordHash(Cost(), b"s" * 16, b"d" * 32))[:24], "$scrypt$ln=15,r=8,p=3$c3"
        )

    def test_composed(self) -> None:
        """An accented letter is the same in one piece and in two (RFC 7617 2.1)."""
        self.assertTrue(hashed("caf\u00e9", QUICK).matches("cafe\u0301"))

    def test_what_is_no_hash(self) -> None:
        """What is no hash is refused, and what may be a password is not shown."""
        good = str(hashed("x", QUICK))
        for text in (
            "sesame",
            "",
            good + "$",
            good.upper(),
            good.replace("ln=9", "ln=+9"),
            good.replace("scrypt", "argon2id"),
            good[:-22],
            "$scrypt$ln=9,r=8,p=1$aaaaaaaaaaaaa$" + "a" * 43,
        ):
            error = self.assertRaises(ValueError, parse, text)
            self.assertIn("netkit password", str(error))
            self.assertNotIn("sesame", str(error))

    def test_bounded_cost(self) -> None:
        """A hash that would cost gigabytes or minutes, or nothing, is refused unread."""
        rest = "$" + "a" * 22 + "$" + "a" * 43
        for numbers in (
            "ln=18,r=8,p=1",
            "ln=99,r=99,p=99",
            "ln=17,r=8,p=2",
            "ln=0,r=8,p=1",
            "ln=1,r=1,p=1",
            "ln=15,r=0,p=1",
            "ln=15,r=8,p=0",
        ):
            error = self.assertRaises(ValueError, parse, f"$scrypt${numbers}{rest}")
            self.assertIn("costs", str(error))

    def test_passwords(self) -> None:
        """Nothing, controls and endless passwords cannot be hashed."""
        for password in ("", "a\nb", "\x7f", "\x85", "x" * 1025):
            self.assertRaises(ValueError, hashed, password, QUICK)

    def test_secret(self) -> None:
        """Whoever prints a hash, or all of them, prints nothing to try passwords against."""
        made = hashed("sesame", QUICK)
        for shown in (repr(made), repr(Passwords({"alice": made}))):
            self.assertNotIn(str(made)[-10:], shown)
            self.assertNotIn("digest", shown)
            self.assertNotIn("secret", shown)

    @settings(deadline=None, max_examples=200)
    @given(st.text(alphabet="$scryptln=0123456789,rpABab+/", max_size=150))
    def test_rubbish(self, text: str) -> None:
        """Any text is a hash that is written the same, or a ValueError."""
        try:
            made = parse(text)
        except ValueError:
            return
        self.assertEqual(parse(str(made)), made)


class Users(SynchronousTestCase):
    def setUp(self) -> None:
        """Two users, at two costs."""
        self.passwords = Passwords(
            {"alice": hashed("one", QUICK), "jos\u00e9": hashed("two", DEARER)}
        )

    def test_verify(self) -> None:
        """A user has the own password, and nobody has none."""
        for user, password, right in (
            ("alice", "one", True),
            ("alice", "two", False),
            ("jose\u0301", "two", True),
            ("Alice", "one", False),
            ("", "one", False),
            ("nobody", "", False),
        ):
            self.assertEqual(self.passwords.verify(user, password), right)

    def test_same_work(self) -> None:
        """A name that nobody has costs what some user's costs, every time the same."""
        costs = set()
        for number in range(50):
            user = f"nobody{number}"
            found = self.passwords.hash_of(user)
            self.assertEqual(found, self.passwords.hash_of(user))
            self.assertEqual((len(found.salt), len(found.digest)), (16, 32))
            costs.add(found.cost)
        self.assertEqual(costs, {QUICK, DEARER})

    def test_nobody(self) -> None:
        """Where there are no users at all, the work is done all the same."""
        self.assertEqual(Passwords({}).hash_of("x").cost, Cost())

    def test_secrets_differ(self) -> None:
        """Nobody outside can know what a name's stand-in is."""
        self.assertNotEqual(Passwords({}).hash_of("x"), Passwords({}).hash_of("x"))
