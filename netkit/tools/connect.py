"""`netkit connect HOST PORT`: the standard input and output joined to a connection."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorFDSet

from netkit.net.connect import Connector
from netkit.net.sides import Side, reach
from netkit.tools import options, tlsoptions
from netkit.tools.bridging.bridge import Ended, Manner, bridge
from netkit.tools.bridging.descriptors import hold_places, sink, source
from netkit.tools.bridging.door import Door
from netkit.tools.bridging.listening import Stand, certificate, listen, stand
from netkit.tools.bridging.place import OneFamily, Security, destination, way
from netkit.tools.bridging.standard import Input, Output
from netkit.tools.bridging.words import address, connection, ending
from netkit.tools.options import examples, remark
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.running import TIMEOUT, Here, run
from netkit.tools.tlsoptions import tls_terms

T = TypeVar("T")


@frozen
class Asked:
    """What the command line asks for; `version` is that of IP, or None for either."""

    words: tuple[str, ...]
    manner: Manner
    security: Security
    version: int | None = None
    cert: Path | None = None
    keep: bool = False
    listens: bool = False
    verbose: bool = False

    def connector(self, here: Here) -> Connector:
        """Return what connects."""
        found = here.connector
        if self.version is None:
            return found
        return evolve(found, names=OneFamily(found.names, self.version))


@frozen
class _Ends:
    """What is on this side of every bridge."""

    source: Input
    output: Output

    def close(self) -> None:
        """Let go of both."""
        self.source.close()
        self.output.close()


@click.command(
    epilog=examples(
        "connect -v --crlf mail.example 25",
        "connect tls:www.example:443",
        "connect unix:/run/netkit/echo.sock < question",
        "connect --listen 7000 > file",
        "connect host.example 7000 < file",
    )
    + "\n\n\b\nExit status: 0 ended in order; 2 no connection, or one"
    "\nthat broke off; 141 nobody reads the output."
)
@click.argument("where", nargs=-1, required=True, metavar="HOST PORT | ENDPOINT")
@click.option("--crlf", is_flag=True, help="Send LF as CRLF; a CRLF stays.")
@click.option("--tls", is_flag=True, help="Speak TLS; the server has to prove that it is HOST.")
@click.option("--servername", default="", metavar="NAME", help="With TLS: it is NAME instead.")
@tlsoptions.cacert
@tlsoptions.insecure
@click.option("-4", "version", flag_value=4, type=int, help="By IPv4 only.")
@click.option("-6", "version", flag_value=6, type=int, help="By IPv6 only.")
@click.option(
    "-l", "--listen", "listening", is_flag=True, help="Wait to be called; HOST may be left out."
)
@click.option("-k", "--keep", is_flag=True, help="With --listen: one call after the other.")
@click.option(
    "--cert",
    type=click.Path(path_type=Path),
    metavar="PEM",
    help="With --listen: TLS, by this certificate and its key.",
)
@click.option(
    "--no-shutdown", is_flag=True, help="Do not tell the peer that the input is at its end."
)
@click.option(
    "-q",
    "--quit",
    "wait",
    type=float,
    callback=options.seconds(-1),
    default=-1,
    metavar="SECS",
    help="Leave so long after the end of the input; -1, as by default: not before the peer ends.",
)
@click.option("--send-all", is_flag=True, help="Go on until the input ends, though the peer has.")
@click.option(
    "--timeout",
    type=float,
    callback=options.seconds(0.01),
    default=TIMEOUT,
    show_default=True,
    metavar="SECS",
    help="How long to try to connect.",
)
@click.option(
    "--idle",
    type=float,
    callback=options.seconds(0),
    default=0,
    metavar="SECS",
    help="Give up where nothing moves for so long.",
)
@click.option(
    "-v", "--verbose", is_flag=True, help="Say when connected, to whom, and why it ended."
)
def command(  # noqa: PLR0913 (each is an option)
    *,
    where: tuple[str, ...],
    crlf: bool,
    tls: bool,
    servername: str,
    cacert: Path | None,
    insecure: bool,
    version: int | None,
    listening: bool,
    keep: bool,
    cert: Path | None,
    no_shutdown: bool,
    wait: float,
    send_all: bool,
    timeout: float,
    idle: float,
    verbose: bool,
) -> Exit:
    """Join the standard input and output to a server.

    ENDPOINT is tcp:HOST:PORT, tls:HOST:PORT, unix:PATH, or any other string for a client of Twisted's.

    When the input ends the server is told, and what it still says comes through. When the server ends,
    so does the command: at once where a terminal is the input; where it is a file, as soon as that is
    sent whole; where it is anything else, once that has said nothing for a second.
    """
    hold_places()
    manner = Manner(
        shutdown=not no_shutdown,
        crlf=crlf,
        wait=None if wait < 0 else wait,
        idle=idle,
        send_all=send_all,
    )
    terms = tls_terms(cacert, insecure=insecure)
    asked = Asked(
        where, manner, Security(tls, servername, terms), version, cert, keep, listening, verbose
    )
    if listening:
        _forbid(
            "is for a client; leave out --listen",
            servername=servername,
            cacert=cacert,
            insecure=insecure,
        )
        place = _right(lambda: stand(where))
        if (place.tls or tls) and cert is None:
            raise click.UsageError("--listen with TLS needs a certificate; add --cert PEM")
        return run(lambda here: _bridged(here, asked, place), timeout)
    _forbid("is for --listen; add it", keep=keep, cert=cert)
    to = _right(lambda: destination(where))
    if not tls and not str(to).startswith("tls:"):
        _forbid("is for TLS; add --tls", servername=servername, cacert=cacert, insecure=insecure)
    return run(lambda here: _bridged(here, asked, None), timeout)


def _right(read: Callable[[], T]) -> T:
    """Return what `read` returns; what it says is wrong is wrong with the command line."""
    try:
        return read()
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _forbid(why: str, **options: object) -> None:
    for name, given in options.items():
        if given:
            raise click.UsageError(f"--{name} {why}")


async def _bridged(here: Here, asked: Asked, place: Stand | None) -> Exit:
    reactor = cast("IReactorFDSet", here.reactor)
    ends = _Ends(Input(reactor, source()), Output(reactor, sink()))
    try:
        if place is not None:
            return await _serve(here, asked, place, ends)
        return await _call(here, asked, ends)
    finally:
        ends.close()


async def _call(here: Here, asked: Asked, ends: _Ends) -> Exit:
    connector = asked.connector(here)
    try:
        leading = way(destination(asked.words), connector, asked.security)
    except ValueError as error:
        raise TroubleError(str(error)) from None
    side = await reach(leading)
    ended = await _spanned(here, asked, ends, side)
    if ended.reason.is_trouble:
        raise TroubleError(f"{leading}: {ended.reason.value}")
    return Exit.DONE


async def _serve(here: Here, asked: Asked, place: Stand, ends: _Ends) -> Exit:
    connector = asked.connector(here)
    creator = None
    if asked.cert is not None:
        file, now = asked.cert, datetime.now(UTC)
        try:
            creator = certificate(file, now)
        except ValueError as error:
            raise TroubleError(str(error)) from None
    by = await listen(place, connector.names, here.reactor, asked.version)
    door = Door(by, cast("Any", here.reactor), creator, here.timeout)
    try:
        if asked.verbose:
            remark(f"listening on {address(door.address)}")
        while True:
            guest = await door.next()
            if not asked.keep:
                await door.close()
            ended = await _spanned(here, asked, ends, guest)
            if not asked.keep:
                break
            if ended.reason.is_trouble:
                remark(ended.reason.value)
    finally:
        await door.close()
    if ended.reason.is_trouble:
        raise TroubleError(ended.reason.value)
    return Exit.DONE


async def _spanned(here: Here, asked: Asked, ends: _Ends, side: Side) -> Ended:
    if asked.verbose:
        remark(f"connected {'from' if asked.listens else 'to'} {connection(side.transport)}")
    ended = await bridge(side, ends.source, ends.output, asked.manner, cast("Any", here.reactor))
    if asked.verbose:
        remark(ending(ended))
    return ended
