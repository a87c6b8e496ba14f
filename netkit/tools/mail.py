"""`netkit mail`: the newest messages of a mailbox, by IMAP.

Rule: a password is never an argument, and never goes to a server in the clear unless the user has
said `--plaintext`.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import click

from netkit.http.basicauth import Credentials
from netkit.net.addresses import host as to_host
from netkit.tools import netrc, tlsoptions
from netkit.tools.mailing.message import Message
from netkit.tools.mailing.reading import Account, Security, Server, Wanted, newest
from netkit.tools.mailing.showing import Table, as_json, line
from netkit.tools.options import as_json as json_option
from netkit.tools.options import ask, examples, remark, show, show_json, timeout
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.running import TIMEOUT, Here, run
from netkit.tools.tlsoptions import tls_terms

PASSWORD = "NETKIT_MAIL_PASSWORD"  # noqa: S105 (the name of a variable)
MOST = 10_000

_HELP = f"""
\b
The password is that of the environment variable {PASSWORD}, or else that
of the netrc file ($NETRC or ~/.netrc), or else it is asked for.

\b
Exit status: 0 done, also where the mailbox is empty; 2 trouble.
"""


def _host(_: click.Context, __: click.Parameter, written: str) -> str:
    try:
        return str(to_host(written))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _security(security: Security) -> Callable[[Callable[..., Exit]], Callable[..., Exit]]:
    helps = {
        Security.TLS: "TLS from the first byte, at port 993; this is the default.",
        Security.STARTTLS: "TLS after a word in the clear, at port 143; or nothing at all.",
        Security.NONE: "No TLS, at port 143: whoever is in between reads the password.",
    }
    name = "plaintext" if security is Security.NONE else security.value
    return click.option(
        f"--{name}",
        "security",
        flag_value=security,
        type=click.UNPROCESSED,
        help=helps[security],
    )


@click.command(
    epilog=_HELP
    + "\n"
    + examples(
        "mail --host imap.example.org",
        "mail --host imap.example.org --user zoe --mailbox Archive/2026 -n 50",
        "mail --host localhost --starttls --json | jq -r .subject",
    )
)
@click.option("--host", required=True, callback=_host, help="The server, by name or address.")
@click.option("--port", type=click.IntRange(1, 65535), help="Its port, where it is another.")
@click.option("--user", metavar="NAME", default="", help="Who you are there.")
@click.option("--mailbox", default="INBOX", show_default=True, help="Which mailbox.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, MOST),
    default=10,
    show_default=True,
    help="How many messages, the newest first.",
)
@_security(Security.TLS)
@_security(Security.STARTTLS)
@_security(Security.NONE)
@tlsoptions.cacert
@tlsoptions.insecure
@json_option
@timeout(TIMEOUT)
def command(  # noqa: PLR0913 (an option each)
    *,
    host: str,
    port: int | None,
    user: str,
    mailbox: str,
    count: int,
    security: Security | None,
    cacert: Path | None,
    insecure: bool,
    as_json: bool,
    timeout: float,
) -> Exit:
    """List date, sender and subject of the newest messages in a mailbox.

    Nothing is marked as read. On a terminal it is a table; in a pipe UID, date, sender and subject
    have a tab between each, and --json makes one object a message.
    """
    terms = tls_terms(cacert, insecure=insecure, handshake_timeout=timeout)
    security = security or Security.TLS
    server = Server(host, port or security.port, security, terms)
    account = _account(host, user)
    wanted = Wanted(mailbox, count)
    shown = _shown(as_json=as_json)

    def alert(words: str) -> None:
        remark(f"{host} says {words}")

    async def work(here: Here) -> Exit:
        found = await newest(server, account, wanted, here.connector, show=shown, alert=alert)
        if not found and sys.stderr.isatty():
            remark(f"{mailbox} is empty")
        return Exit.DONE

    return run(work, timeout)


def _account(host: str, user: str) -> Account:
    """Return who to be, as far as it has to be by asking the user."""
    password = os.environ.get(PASSWORD) or None
    entry = None if user and password is not None else _in_netrc(host, user)
    if entry is not None:
        user = user or entry.user
        password = entry.password if password is None else password
    user = user or ask("User")
    password = ask("Password", hidden=True) if password is None else password
    if "\0" in user + password:
        raise TroubleError("neither a user's name nor a password can hold a NUL")
    return Account(user, password)


def _in_netrc(host: str, user: str) -> Credentials | None:
    try:
        return netrc.find(netrc.place(os.environ), host, user)
    except ValueError as error:
        raise TroubleError(str(error)) from None


def _shown(*, as_json: bool) -> Callable[[Message], None]:
    """Return what shows a message, by where the output goes."""
    if as_json:
        return _show_json
    # What a terminal's charset does not have is shown by its number.
    getattr(sys.stdout, "reconfigure", lambda **_: None)(errors="backslashreplace")
    return _Rows().show if sys.stdout.isatty() else _show_line


def _show_json(message: Message) -> None:
    show_json(as_json(message))


def _show_line(message: Message) -> None:
    show(line(message))


class _Rows:
    """The rows of a table, of which the first has the longest number."""

    _table: Table | None = None

    def show(self, message: Message) -> None:
        """Show one more."""
        width = shutil.get_terminal_size().columns
        self._table = self._table or Table(width, len(str(message.uid)))
        show(self._table.row(message))
