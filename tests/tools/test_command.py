"""The command as a whole: its subcommands, and what it says of a line that is wrong."""

from importlib.util import find_spec

import click
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.tools.command import COMMANDS, netkit
from tests.tools.commanded import called, spawned


class ListTests(SynchronousTestCase):
    """What there is."""

    def test_each(self) -> None:
        """Every subcommand that is listed is there, is for what it says, and shows how to use it."""
        for name, listed in COMMANDS.items():
            with self.subTest(name):
                self.assertIsNotNone(find_spec(listed.module))
                ran = called(name, "--help")
                self.assertEqual((ran.status, ran.errors), (0, ""))
                self.assertIn(f"Usage: netkit {name} ", ran.out)
                self.assertIn(f"  netkit {name} ", ran.out.partition("Examples:")[2])

    def test_help(self) -> None:
        """The help lists them all, and says what the exit status means."""
        ran = called("--help")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        for name, listed in COMMANDS.items():
            self.assertRegex(ran.out, f"\n  {name} +{listed.summary[:20]}")
        self.assertIn("0 done; 1 done, and the answer was no; 2 trouble", ran.out)

    def test_without_anything(self) -> None:
        """Without a subcommand the help is shown, as an error."""
        ran = called()
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertIn("Usage: netkit", ran.errors)

    def test_in_order(self) -> None:
        """They stand in the order in which one looks for them."""
        self.assertEqual(list(COMMANDS), sorted(COMMANDS))
        self.assertEqual(netkit.list_commands(click.Context(netkit)), list(COMMANDS))


class WrongTests(SynchronousTestCase):
    """What is no right line."""

    def test_one_line(self) -> None:
        """Whatever is wrong with a line is told in one, with the exit status 2."""
        for line, said in (
            ("gte", 'netkit: there is no command "gte"; did you mean "get"?\n'),
            ("password x", "netkit password: got unexpected extra argument (x)\n"),
            ("certificate", "netkit certificate: missing argument 'FOLDER'\n"),
            ("--vresion", "netkit: no such option '--vresion'. Did you mean '--version'?\n"),
        ):
            with self.subTest(line):
                ran = called(*line.split())
                self.assertEqual((ran.status, ran.out, ran.errors), (2, "", said))

    def test_rubbish(self) -> None:
        """What a line has in it does nothing to the terminal."""
        ran = called("\x1b[31mx")
        self.assertEqual(ran.status, 2)
        self.assertNotIn("\x1b", ran.errors)


class ProcessTests(TestCase):
    """The command as a process."""

    async def test_quick(self) -> None:
        """`--help` imports neither Twisted nor a subcommand."""
        ran = await spawned("--help", environment={"PYTHONPROFILEIMPORTTIME": "1"})
        self.assertEqual(ran.status, 0)
        for module in ("twisted", "netkit.tools.get", "rich", "OpenSSL"):
            self.assertNotRegex(ran.errors, rf"\| +{module}\n")
        self.assertRegex(ran.errors, r"\| +netkit.tools.command\n")

    async def test_completion(self) -> None:
        """A shell is told the commands and options that what was typed may become."""
        for words, word, offered in (
            ("netkit ge", "1", "plain,get\n"),
            ("netkit get --re", "2", "plain,--resume\nplain,--retries\nplain,--redirects\n"),
        ):
            asked = {"COMP_WORDS": words, "COMP_CWORD": word, "_NETKIT_COMPLETE": "bash_complete"}
            self.assertEqual((await spawned(environment=asked)).out, offered)
