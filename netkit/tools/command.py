"""`netkit`: the command, which finds its subcommands by name.

Rule: a subcommand is imported when it is called; `netkit --help` imports none. What is wrong with the
command line is one line, and so is everything else that a subcommand cannot do.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

import click
from attrs import frozen

from netkit.document.values import did_you_mean, printable
from netkit.tools.outcome import Exit, TroubleError, told

_EPILOG = """
\b
Exit status: 0 done; 1 done, and the answer was no; 2 trouble; 130 interrupted.
"""


@frozen
class Listed:
    """A subcommand: its module, which has it as `command`, and what it is for, in a few words."""

    module: str
    summary: str


COMMANDS: Mapping[str, Listed] = {
    "certificate": Listed("netkit.tools.certificate", "make a certificate to try TLS with"),
    "check": Listed("netkit.tools.check", "say whether pages have changed since the last time"),
    "connect": Listed("netkit.tools.connect", "join standard input and output to a server"),
    "finger": Listed("netkit.tools.finger", "ask who somebody is"),
    "get": Listed("netkit.tools.get", "fetch a page or a file"),
    "mail": Listed("netkit.tools.mail", "list the newest messages of a mailbox"),
    "password": Listed("netkit.tools.password", "turn a password into what a configuration holds"),
    "pub": Listed("netkit.tools.pub", "publish messages"),
    "scan": Listed("netkit.tools.scan", "say which ports of a host are open"),
    "sub": Listed("netkit.tools.sub", "show the messages of a subject"),
    "upload": Listed("netkit.tools.upload", "send files as a form does"),
}


class Commands(click.Group):
    """The subcommands, by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (as click's)
        """Return their names."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the subcommand of that name."""
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        found: click.Command = import_module(listed.module).command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand that `args` begin with, or say which was meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            advice = did_you_mean(args[0], COMMANDS)
            ctx.fail(f'there is no command "{args[0]}"; {advice}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List them without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.summary) for name, listed in COMMANDS.items()])


@click.group(cls=Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="netkit-daemon", message="netkit %(version)s")
def netkit() -> None:
    """The client side of small network services.

    `netkit COMMAND --help` explains a command, with examples.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, or those of the process; return its exit status."""
    try:
        outcome = netkit.main(arguments, prog_name="netkit", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.TROUBLE
    except click.ClickException as error:
        sys.stderr.write(f"{_place(error)}: {_words(error)}\n")
        return Exit.TROUBLE
    except click.Abort:
        return Exit.INTERRUPTED
    except (TroubleError, OSError, KeyboardInterrupt) as error:
        return told(error)
    return outcome if isinstance(outcome, int) else Exit.DONE


def _place(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "netkit"


def _words(error: click.ClickException) -> str:
    said = printable(error.format_message().rstrip(".").replace("\n", " "))
    return said[:1].lower() + said[1:]
