"""What `pub` and `sub` have in common on the command line."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from attrs import frozen

from netkit.services.pubsub.nats.servers import Server, parse
from netkit.tools import tlsoptions
from netkit.tools.messaging.client import Access
from netkit.tools.options import ask
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.tlsoptions import tls_terms

DEFAULT = "nats://localhost:4222"
PASSWORD = "NETKIT_NATS_PASSWORD"  # noqa: S105 (its name)
TOKEN = "NETKIT_NATS_TOKEN"  # noqa: S105 (its name)


@frozen
class Reached:
    """Which servers, and how."""

    servers: tuple[Server, ...]
    access: Access


def servers(command: Callable[..., Exit]) -> Callable[..., Exit]:
    """Add the options that say which servers are meant and who comes; `command` gets them as `to`."""

    @wraps(command)
    def reaching(
        *,
        server: str,
        user: str,
        cacert: Path | None,
        insecure: bool,
        tls_first: bool,
        **others: Any,  # noqa: ANN401 (the command's own)
    ) -> Exit:
        terms = tls_terms(cacert, insecure=insecure)
        token = "" if user else os.environ.get(TOKEN, "")
        access = Access(user, _password(user), token, terms, tls_first)
        return command(to=Reached(_servers(server), access), **others)

    for option in reversed(_OPTIONS):
        reaching = option(reaching)
    return reaching


def _servers(written: str) -> tuple[Server, ...]:
    try:
        return tuple(parse(_url(each)) for each in written.split(","))
    except ValueError as error:
        raise TroubleError(str(error)) from None


def _url(written: str) -> str:
    return written if "://" in written else f"nats://{written}"


def _password(user: str) -> str:
    if not user:
        return ""
    return os.environ.get(PASSWORD) or ask("Password", hidden=True)


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "-s",
        "--server",
        metavar="URL",
        envvar="NATS_URL",
        default=DEFAULT,
        show_default=True,
        help="A server, as nats://host:port or tls://host:port; several with commas between."
        " Also from $NATS_URL.",
    ),
    click.option(
        "--user",
        default="",
        help=f"Who to log in as; the password is asked for, or ${PASSWORD}. A token is ${TOKEN}.",
    ),
    tlsoptions.cacert,
    tlsoptions.insecure,
    click.option("--tls-first", is_flag=True, help="Shake hands before the server says anything."),
)
