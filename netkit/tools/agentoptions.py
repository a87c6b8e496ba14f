"""The options that the commands have in common which are user agents.

Rule: a password is never an argument; whoever has one is asked, or has it in a netrc file or in the
environment.
"""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from netkit.document.values import printable, quoted
from netkit.http.basicauth import Credentials
from netkit.http.framing import InvalidRequestError, request_opening
from netkit.http.messages import Headers
from netkit.net.tlsclient import TlsTerms
from netkit.tools import netrc, tlsoptions
from netkit.tools.options import ask, on_a_terminal, remark
from netkit.tools.outcome import TroubleError
from netkit.tools.tlsoptions import tls_terms
from netkit.tools.web.fetching import Login, Proxying, Terms, Unwatched, Watch, nobody
from netkit.tools.web.logins import Asked, First, Given, Netrc
from netkit.tools.web.urls import Url, parse

PASSWORD = "NETKIT_PASSWORD"  # noqa: S105 (the name of a variable)
"""The environment variable that may have the password of `--user`."""

_PLACES = f"a terminal, {PASSWORD} or a netrc file would have it"
_Function = Callable[..., Any]


def as_url(_: click.Context, __: click.Parameter, text: str | None) -> Url | None:
    """Return the URL that the value of an option or an argument is: its callback."""
    return None if text is None else _url(text)


def as_urls(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Url, ...]:
    """Return the URLs that the values of an argument are: its callback."""
    return tuple(map(_url, texts))


def _url(text: str) -> Url:
    try:
        return parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _user(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Return the name of a user."""
    if name is not None and ":" in name:
        raise click.BadParameter("a password does not belong here, where everybody can read it")
    return name


def _fields(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> Headers:
    return tuple(map(_field, texts))


def _field(text: str) -> tuple[bytes, bytes]:
    name, colon, value = os.fsencode(text).partition(b":")
    if not colon:
        raise click.BadParameter(f'{quoted(text)} is no field; as in "Accept-Language: de"')
    pair = name, value.strip(b" \t")
    try:
        request_opening(b"GET", b"/", (pair,))
    except InvalidRequestError as error:
        raise click.BadParameter(f"{quoted(os.fsdecode(name))} cannot be sent: {error}") from None
    return pair


@frozen
class AgentOptions:
    """What was said on the command line about how to fetch."""

    user: str | None
    headers: Headers = field(repr=False)
    proxy: Url | Proxying
    retries: int | None
    redirects: int
    tls: TlsTerms

    def terms(self, watch: Watch | None = None) -> Terms:
        """Return the terms for an agent."""
        return Terms(
            redirects=self.redirects,
            retries=self.retries or 0,
            login=First((Netrc(netrc.place(os.environ), remark), Asked(_asked))),
            own_login=nobody if self.user is None else _own_login(self.user),
            proxy=self.proxy,
            tls=self.tls,
            watch=watch or Unwatched(),
        )


def _own_login(user: str) -> Login:
    """Return who knows the password of `user`."""
    password = os.environ.get(PASSWORD)
    given = nobody if password is None else Given(Credentials(user, password))
    return First((given, Netrc(netrc.place(os.environ), remark, user), Asked(_asked, user)))


def _asked(url: Url, realm: str, user: str | None) -> Credentials | None:
    """Ask whoever sits at the terminal; raise TroubleError where a user was named and nobody is."""
    if not on_a_terminal():
        if user is not None:
            raise TroubleError(f"{url.authority} wants the password of {quoted(user)}; {_PLACES}")
        return None
    remark(f"{url.scheme}://{url.authority} asks for a login to {quoted(realm)}")
    name = ask("User") if user is None else user
    return Credentials(name, ask(f"Password of {printable(name)}", hidden=True))


def agent_options(retries: int | None = 0) -> Callable[[_Function], _Function]:
    """Return what adds the options to a command, which gets them as `agent`: AgentOptions."""

    def decorate(function: _Function) -> _Function:
        @wraps(function)
        def command(  # noqa: PLR0913 (an option each)
            *,
            user: str | None,
            headers: Headers,
            proxy: Url | None,
            no_proxy: bool,
            retries: int | None,
            redirects: int,
            cacert: Path | None,
            insecure: bool,
            **others: Any,  # noqa: ANN401 (the command's own)
        ) -> Any:  # noqa: ANN401 (as the command's)
            chosen = proxy or (Proxying.NONE if no_proxy else Proxying.ENVIRONMENT)
            agent = AgentOptions(
                user, headers, chosen, retries, redirects, tls_terms(cacert, insecure=insecure)
            )
            return function(agent=agent, **others)

        decorated: _Function = command
        for option in reversed(_options(retries)):
            decorated = option(decorated)
        return decorated

    return decorate


def _options(retries: int | None) -> list[Callable[[_Function], _Function]]:
    return [
        click.option(
            "--user",
            metavar="NAME",
            callback=_user,
            help="Who to be where a server asks for a login.",
        ),
        click.option(
            "-H",
            "--header",
            "headers",
            metavar="'NAME: VALUE'",
            callback=_fields,
            multiple=True,
            help='Send this field too; "NAME:" sends one less.',
        ),
        click.option("--proxy", metavar="URL", callback=as_url, help="Ask by way of this proxy."),
        click.option("--no-proxy", is_flag=True, help="Ask by way of none."),
        click.option(
            "--retries",
            type=click.IntRange(0, 1000),
            default=retries,
            show_default=retries is not None,
            help="Try again so many times, what is safe to try again."
            if retries is not None
            else "Try again so many times; by default 3, and only to go on with a file.",
        ),
        click.option(
            "--redirects",
            type=click.IntRange(0, 1000),
            default=20,
            show_default=True,
            help="Follow so many redirects.",
        ),
        tlsoptions.cacert,
        tlsoptions.insecure,
    ]
