"""The command that hashes a password."""

from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from typing import TextIO

from twisted.trial.unittest import SynchronousTestCase

from netkit.passwords import parse
from netkit.tools.password import asked, main


class CommandTests(SynchronousTestCase):
    def run_main(self, source: TextIO, *arguments: str) -> tuple[int, str, str]:
        """Return the exit status and what is printed, as output and as error."""
        out, errors = StringIO(), StringIO()
        with redirect_stdout(out), redirect_stderr(errors):
            try:
                status = main(arguments, source)
            except SystemExit as ended:
                status = int(str(ended.code))
        return status, out.getvalue(), errors.getvalue()

    def test_from_a_pipe(self) -> None:
        """The first line of a pipe is the password; its hash is all that is printed."""
        status, out, errors = self.run_main(StringIO("open sesame\r\nmore\n"))
        self.assertEqual((status, errors), (0, ""))
        self.assertTrue(parse(out.rstrip("\n")).matches("open sesame"))
        self.assertNotIn("sesame", out)

    def test_no_password(self) -> None:
        """Nothing, too much, and what is no text, end with one line."""
        for source in (
            StringIO(""),
            StringIO("\n"),
            StringIO("x" * 5000),
            TextIOWrapper(BytesIO(b"\xff\n"), encoding="utf-8"),
        ):
            status, out, errors = self.run_main(source)
            self.assertEqual((status, out, errors.count("\n")), (1, "", 1))

    def test_never_an_argument(self) -> None:
        """A password as an argument is refused."""
        self.assertEqual(self.run_main(StringIO("x\n"), "sesame")[:2], (2, ""))

    def test_on_a_terminal(self) -> None:
        """On a terminal it is asked for twice, and has to be the same."""
        self.assertEqual(asked(lambda _: "x"), "x")
        answers = iter(("x", "y"))
        self.assertRaises(ValueError, asked, lambda _: next(answers))
