"""The command that hashes a password."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.passwords import parse
from netkit.tools.password import asked
from tests.tools.commanded import called


class CommandTests(SynchronousTestCase):
    def test_from_a_pipe(self) -> None:
        """The first line of a pipe is the password; its hash is all that is printed."""
        ran = called("password", stdin="open sesame\r\nmore\n")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertTrue(parse(ran.out.rstrip("\n")).matches("open sesame"))
        self.assertNotIn("sesame", ran.out)

    def test_no_password(self) -> None:
        """Nothing, too much, and what is no text, end with one line."""
        for stdin in (b"", b"\n", b"x" * 5000, b"\xff\n"):
            ran = called("password", stdin=stdin)
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))

    def test_never_an_argument(self) -> None:
        """A password as an argument is refused."""
        ran = called("password", "sesame", stdin="x\n")
        self.assertEqual((ran.status, ran.out), (2, ""))

    def test_on_a_terminal(self) -> None:
        """On a terminal it is asked for twice, and has to be the same."""
        self.assertEqual(asked(lambda _: "x"), "x")
        answers = iter(("x", "y"))
        self.assertRaises(ValueError, asked, lambda _: next(answers))
