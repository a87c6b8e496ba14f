"""The settings of the mount `upstream`, and what can be wrong with them."""

import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

from attrs import field, frozen

from netkit.document.values import (
    Between,
    Matching,
    Network,
    Seconds,
    SecondsOrNever,
    quoted,
)
from netkit.http.clientlimits import DEFAULTS, ClientLimits
from netkit.net.destination import Destination, Transport
from netkit.net.tlsclient import trusted
from netkit.net.tunnel import TunnelLimits
from netkit.services.kind import Complaint
from netkit.services.proxy.upstream.balancing import Policy
from netkit.services.proxy.upstream.health import Terms

_TCHARS = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_AUTHORITY = r"(?:[A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
_STATUSES = re.compile(r"([1-5][0-9][0-9])(?:-([1-5][0-9][0-9]))?")

_TUNNELS = TunnelLimits()

KEEP = "keep"
UPSTREAM = "upstream"
CLIENT = "client"
HEADER = "header:"

CookieName = Annotated[str, Matching(re.compile(_TCHARS), 'a name as in "netkit-server"')]
Target = Annotated[
    str, Matching(re.compile(r"/[A-Za-z0-9_.~!$&'()*+,;=:@/?%-]*"), 'a path as in "/healthy"')
]
Authority = Annotated[
    str, Matching(re.compile(f"|{_AUTHORITY}"), 'a host as in "example.org" or "example.org:8080"')
]
Prefix = Annotated[
    str,
    Matching(
        re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9_.~!$&'()*+,;=:@%-]+)*"),
        'a path as in "/base"',
    ),
]
HashBy = Annotated[
    str, Matching(re.compile(f"{CLIENT}|{HEADER}{_TCHARS}"), '"client", or as in "header:X-User"')
]
HostRule = Annotated[
    str, Matching(re.compile(_AUTHORITY), '"keep", "upstream", or a host as in "example.org"')
]
Pseudonym = Annotated[
    str, Matching(re.compile("|[A-Za-z0-9][A-Za-z0-9._-]{0,62}"), 'a name as in "front-1"')
]


class ProxyHeader(Enum):
    """The version of the PROXY header that a server is sent."""

    V1 = "v1"
    V2 = "v2"


class Statuses:
    """Checks a range of statuses."""

    def complaint(self, value: object) -> str | None:
        """Return the form where `value` does not have it."""
        if statuses(str(value)):
            return None
        return f'{quoted(str(value))} are no statuses; as in "200" or "200-399"'


def statuses(written: str) -> range:
    """Return the statuses that `written` stands for; an empty range where it stands for none."""
    found = _STATUSES.fullmatch(written)
    return range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)


@frozen
class ServerTable:
    """One server: where it is, its share of the requests, and whether it waits for others to fail."""

    to: Destination
    weight: Annotated[int, Between(1, 1000, "")] = 1
    backup: bool = False


@frozen
class HealthTable:
    """How it is known whether a server is fit; times are in seconds.

    With a `path` each server is asked for it every `interval`, for `host` if that is not empty: what
    answers within `timeout` with a status of `expect` is well. `rise` times well in a row bring it
    back, `fall` times ill put it down. `max_fails` requests that failed within `fail_timeout` put it
    down too (0: never); without a path it is tried again after that time. What comes back gets more
    and more, up to its share after `slow_start`.
    """

    path: Target | None = None
    host: Authority = ""
    expect: Annotated[str, Statuses()] = "200-399"
    interval: Annotated[float, Between(1, 86_400, "seconds")] = 10.0
    timeout: Seconds = 5.0
    rise: Annotated[int, Between(1, 100, "")] = 2
    fall: Annotated[int, Between(1, 100, "")] = 3
    max_fails: Annotated[int, Between(0, 1000, "")] = 3
    fail_timeout: Seconds = 10.0
    slow_start: SecondsOrNever = 0.0

    @property
    def terms(self) -> Terms:
        """The same, as far as the rules of health need it."""
        return Terms(
            max_fails=self.max_fails,
            fail_timeout=self.fail_timeout,
            checked=self.path is not None,
            rise=self.rise,
            fall=self.fall,
            slow_start=self.slow_start,
        )


@frozen
class Retries:
    """At most `tries` servers are asked for one request, and no other one after `seconds`."""

    tries: Annotated[int, Between(1, 100, "")] = 3
    seconds: Seconds = 10.0


@frozen
class Sticky:
    """The cookie that brings a visitor back to the same server, for `max_age` seconds (0: a session).

    `secret` keeps who has seen the cookie from finding out by guessing which server it stands for.
    """

    cookie: CookieName = "netkit-server"
    max_age: Annotated[int, Between(0, 2**31, "seconds, 0 for a session")] = 0
    secret: str = field(default="", repr=False)


@frozen(kw_only=True)
class Settings:
    """The mount's own keys.

    `servers` are asked by `policy`; `hash_by` says of what, for the policy "hash". A body up to
    `buffer_bytes` whose length is known is read whole before a server is asked, so that it can go to
    another one; others are streamed. `strip_prefix`: servers see the path below the mount, behind
    `prefix`; else all of it. `host` is what they see as Host: "keep" is what the client asked for,
    "upstream" the server's own name, anything else itself.

    What proxies of the `trusted` networks say of their clients is passed on, and believed. `ca` has
    the certificates that vouch for servers with TLS, instead of the system's. `name` is the mount's own
    in Via and Proxy-Status; one is made up at every start where it is empty. `limits` say what asking
    one server may cost, `tunnel` what WebSockets and other upgrades may.
    """

    servers: tuple[Destination | ServerTable, ...]
    policy: Policy = Policy.ROUND_ROBIN
    hash_by: HashBy = CLIENT
    health: HealthTable = HealthTable()
    retries: Retries = Retries()
    buffer_bytes: Annotated[int, Between(0, 2**30, "bytes")] = 0
    sticky: Sticky | None = None
    strip_prefix: bool = True
    prefix: Prefix = ""
    host: HostRule = KEEP
    trusted: tuple[Network, ...] = ()
    proxy_header: ProxyHeader | None = None
    ca: Path | None = None
    connect_timeout: Seconds = 5.0
    limits: ClientLimits = DEFAULTS
    tunnel: TunnelLimits = _TUNNELS
    name: Pseudonym = ""

    @property
    def tables(self) -> tuple[ServerTable, ...]:
        """The servers, each with all that is known of it."""
        return tuple(
            each if isinstance(each, ServerTable) else ServerTable(each) for each in self.servers
        )


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the servers, with keys that need each other, and with certificates."""
    for check in _CHECKS:
        yield from check(settings)


def _servers(settings: Settings) -> Iterator[Complaint]:
    if not settings.servers:
        yield Complaint(("servers",), 'is empty; as in servers = ["tcp:127.0.0.1:9000"]')
    elif all(server.backup for server in settings.tables):
        yield Complaint(("servers",), "are backups all of them; one at least is not")
    seen: set[Destination] = set()
    for index, server in enumerate(settings.tables):
        if server.to in seen:
            text = f"{quoted(str(server.to))} stands here twice; a larger share is a weight"
            yield Complaint(("servers", index), text)
        seen.add(server.to)


def _pairs(settings: Settings) -> Iterator[Complaint]:
    if settings.hash_by != CLIENT and settings.policy is not Policy.HASH:
        yield Complaint(("hash_by",), 'needs policy = "hash" beside it')
    if settings.health.host and settings.health.path is None:
        yield Complaint(("health", "host"), 'needs path beside it; as in path = "/healthy"')


def _authorities(settings: Settings) -> Iterator[Complaint]:
    if settings.ca is None:
        return
    if all(server.to.transport is not Transport.TLS for server in settings.tables):
        yield Complaint(("ca",), 'means nothing here; a server with TLS is written "tls:HOST:PORT"')
    for fault in trusted(settings.ca).faults:
        yield Complaint(("ca",), f"{quoted(fault.file)} {fault.text}")


_CHECKS: tuple[Callable[[Settings], Iterator[Complaint]], ...] = (_servers, _pairs, _authorities)
