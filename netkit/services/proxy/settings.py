"""What an operator says of a forward proxy, and what can be wrong with it."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from attrs import field, frozen

from netkit.document.values import Bytes, Count, Matching, Network, Seconds
from netkit.http import accesstable, clientlimits
from netkit.http.clientlimits import ClientLimits
from netkit.http.limits import Limits
from netkit.net.destination import Destination
from netkit.net.tunnel import TunnelLimits
from netkit.net.users import HashText, Users
from netkit.services.kind import Complaint
from netkit.services.proxy.access import DestinationRule, PortRange
from netkit.services.proxy.words.settings import CountWords

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@frozen
class RequestLimits(Limits):
    """The table `http` of a proxy: bodies pass through and are kept nowhere, and may be long."""

    body_bytes: Bytes = 2**40


REQUEST = RequestLimits()
TUNNEL = TunnelLimits()

_Realm = Annotated[
    str,
    Matching(re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,100}"), "printable ASCII without quotes"),
]
_Name = Annotated[
    str, Matching(re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}|"), "letters, digits, dots and dashes")
]


@frozen(kw_only=True)
class Settings:
    """A proxy's own keys.

    `clients` may use it. Where there are `users`, or more of them in the file `passwords`, a client
    has to log in, unless it is in `open_clients`. `destination` are the rules about where clients may
    go, the first that fits decides; a CONNECT goes to `connect_ports`, other requests to `ports`.
    All of it is asked of the proxy `parent`, where there is one, by `parent_user` with the password
    that stands there or in a file. `name` is the proxy's own in Via and Proxy-Status, made up where it is
    empty.

    A connection is to be there after `connect_timeout` seconds. One user, or one client where nobody
    logs in, has `tunnels_per_client` at a time. `http` says what a request may cost, `upstream` how
    servers are asked, `tunnel` when tunnels end. `count_words` counts the words of the HTML that passes,
    within limits.
    """

    clients: tuple[Network, ...] = LOOPBACK
    users: dict[str, HashText] = field(factory=dict, repr=False)
    passwords: Path | None = None
    realm: _Realm = "netkit"
    open_clients: tuple[Network, ...] = ()
    destination: tuple[DestinationRule, ...] = ()
    connect_ports: tuple[PortRange, ...] = (443,)
    ports: tuple[PortRange, ...] = (80, 443, "1024-65535")
    parent: Destination | None = None
    parent_user: str = ""
    parent_password: str = field(default="", repr=False)
    parent_password_file: Path | None = None
    name: _Name = ""
    connect_timeout: Seconds = 15.0
    tunnels_per_client: Count = 256
    http: RequestLimits = REQUEST
    upstream: ClientLimits = clientlimits.DEFAULTS
    tunnel: TunnelLimits = TUNNEL
    access_log: bool | accesstable.AccessFile = False
    count_words: bool | CountWords = False

    @property
    def wants_login(self) -> bool:
        """Whether there is anybody who may log in."""
        return bool(self.users or self.passwords)


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the access log, the users and who needs no login.

    Raise ConfigError, behind all complaints, where the file of passwords has problems.
    """
    for path, wrong in accesstable.complaints(settings.access_log):
        yield Complaint(("access_log", *path), wrong)
    if settings.open_clients and not settings.wants_login:
        yield Complaint(("open_clients",), "is for a proxy with users; write users or passwords")
    known = Users.of(settings.users, settings.passwords)
    for path, wrong in known.complaints:
        yield Complaint(path, wrong)
    if settings.wants_login and not known.names and not known.spoilt:
        yield Complaint(("passwords",), "has no users, so that nobody could log in")
    if known.mistakes is not None:
        raise known.mistakes
