"""The command line."""

from contextlib import redirect_stderr
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.options import Options, parsed

FAMILIES = ("echo", "tunnel")


class OptionsTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Without a word everything netkit can do is measured, five times for two seconds."""
        defaults = Options(
            only=(), everything=False, rounds=5, seconds=2, markdown=False, json=None
        )
        self.assertEqual(parsed([], FAMILIES), defaults)

    def test_only(self) -> None:
        """Families are chosen by name, with commas between."""
        self.assertEqual(parsed(["--only", "echo, tunnel"], FAMILIES).only, FAMILIES)

    def test_only_from_outside(self) -> None:
        """The environment's choice counts where the command line has none."""
        self.assertEqual(parsed([], FAMILIES, only="tunnel").only, ("tunnel",))
        self.assertEqual(parsed(["--only", "echo"], FAMILIES, only="tunnel").only, ("echo",))

    def test_what_is_not_right_is_refused(self) -> None:
        """An unknown family, or a number out of range, ends with what would be right."""
        for words, right in (
            (["--only", "ecco"], "ecco is none of echo, tunnel"),
            (["--rounds", "0"], "0 is not right; 1 to 50"),
            (["--seconds", "two"], "two is not right; 1 to 60"),
        ):
            said = StringIO()
            with redirect_stderr(said):
                self.assertRaises(SystemExit, parsed, words, FAMILIES)
            self.assertIn(right, said.getvalue())
