"""Endpoint strings, as the key `listen` takes them, looked at without opening anything.

Twisted's own parser answers a slip with ValueError, TypeError, IndexError or NameError, and some
slips only when the socket is bound. Here a string is read by the same grammar
(twisted.internet.endpoints.serverFromString) and each slip has its own words. A string that passes
is still Twisted's to interpret.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from attrs import field, frozen
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.interfaces import IStreamServerEndpointStringParser
from twisted.plugin import getPlugins

from netkit.document.values import did_you_mean, quoted

_PARAMETER = re.compile(r"(?:[^\\:]|\\.)*", re.DOTALL)
_NAMED = re.compile(r"((?:[^\\=]|\\.)*)=(.*)", re.DOTALL)
_HIGHEST_PORT = 65535


@frozen
class Endpoint:
    """An endpoint string taken apart: `tcp:80:interface=::1` has one argument and one option."""

    type: str
    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] = field(factory=dict)

    def __str__(self) -> str:
        named = (f"{key}={quoteStringArgument(value)}" for key, value in self.options.items())
        return ":".join((self.type, *map(quoteStringArgument, self.arguments), *named))

    def get(self, position: int, name: str, default: str = "") -> str:
        """Return the argument at `position`, or the option `name`: Twisted takes either."""
        if position < len(self.arguments):
            return self.arguments[position]
        return self.options.get(name, default)

    def clashes(self, other: "Endpoint") -> bool:
        """Return whether the two cannot both be bound on one host."""
        mine, theirs = self._claim(), other._claim()  # noqa: SLF001 (the same class)
        if mine is None or theirs is None or mine[0] != theirs[0]:
            return False
        return mine[1] == theirs[1] or _covers(mine[1], theirs[1]) or _covers(theirs[1], mine[1])

    def _claim(self) -> tuple[str, str] | None:
        """Return what only one listener may have (a port, a path) and the address it is wanted on."""
        if self.type in {"tcp", "tcp6", "ssl"} and self.get(0, "port") != "0":
            everywhere = "::" if self.type == "tcp6" else "0.0.0.0"
            return self.get(0, "port"), _address(self.options.get("interface") or everywhere)
        if self.type == "unix":
            return f"unix:{self.get(0, 'address')}", ""
        if self.type == "systemd":
            return f"systemd:{self.options.get('name') or self.options.get('index')}", ""
        return None


def parse(text: str, base: Path | None = None) -> Endpoint:
    """Return `text` taken apart, with relative paths put below `base`.

    Raise ValueError with what is wrong and what would be right.
    """
    endpoint = taken_apart(text)
    _check(endpoint, text)
    return _below(base, endpoint) if base else endpoint


def taken_apart(text: str) -> Endpoint:
    """Return `text` by the grammar alone: nothing of it is checked, and it may be any string."""
    parameters = [match[0] for match in _parameters(text)]
    kind, rest = _unescaped(parameters[0]), parameters[1:]
    arguments: list[str] = []
    options: dict[str, str] = {}
    for parameter in rest:
        named = _NAMED.fullmatch(parameter)
        if named:
            options[_unescaped(named[1])] = _unescaped(named[2])
        else:
            arguments.append(_unescaped(parameter))
    return Endpoint(kind, tuple(arguments), options)


def _parameters(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at <= len(text):
        match = _PARAMETER.match(text, at)
        if match is None:
            return
        yield match
        at = match.end() + 1


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


@frozen
class _Form:
    """What the string of one endpoint type may hold; `right` is an example."""

    right: str
    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    checks: tuple[Callable[[Endpoint], str | None], ...] = ()


def _port(endpoint: Endpoint) -> str | None:
    port = endpoint.get(0, "port")
    if not port:
        return f'no port is given; write it as "{endpoint.type}:8080"'
    if not (port.isascii() and port.isdecimal() and int(port) <= _HIGHEST_PORT):
        return f"{quoted(port)} is not a port; 0 to {_HIGHEST_PORT}"
    return None


def _interface(endpoint: Endpoint) -> str | None:
    interface = endpoint.options.get("interface", "")
    if not interface:
        return None
    try:
        version = ip_address(interface).version
    except ValueError:
        return f'{quoted(interface)} is not an address; write it as "interface=127.0.0.1" or "interface=\\\\:\\\\:1"'
    if endpoint.type == "tcp6" and version == 4:  # noqa: PLR2004
        return f"{interface} is an IPv4 address; its type is tcp"
    return None


def _backlog(endpoint: Endpoint) -> str | None:
    backlog = endpoint.options.get("backlog", "50")
    return None if backlog.isdecimal() else f"{quoted(backlog)} is not a backlog; a whole number"


def _path(endpoint: Endpoint) -> str | None:
    if not endpoint.get(0, "address"):
        return 'no path is given; write it as "unix:/run/netkit/echo.sock"'
    mode = endpoint.options.get("mode", "666")
    return (
        None
        if re.fullmatch("[0-7]{3,4}", mode)
        else f"{quoted(mode)} is not a mode; as in mode=660"
    )


def _keys(endpoint: Endpoint) -> str | None:
    if "privateKey" not in endpoint.options:
        return f'names no key; write "tcp:{endpoint.get(0, "port", "443")}" with tls = "NAME"'
    return None


def _readable_keys(endpoint: Endpoint) -> str | None:
    for key in ("privateKey", "certKey", "extraCertChain"):
        path = endpoint.options.get(key)
        if path and not os.access(path, os.R_OK):
            return f"{key}: {quoted(path)} cannot be read"
    return None


def _descriptor(endpoint: Endpoint) -> str | None:
    if endpoint.get(0, "domain") not in {"INET", "INET6", "UNIX"}:
        return 'the domain is INET, INET6 or UNIX, as in "systemd:domain=INET6:name=finger"'
    if ("name" in endpoint.options) == ("index" in endpoint.options):
        return 'give either name or index, as in "systemd:domain=INET6:name=finger"'
    return None


_FORMS = {
    "tcp": _Form("tcp:8080", ("port",), ("interface", "backlog"), (_port, _interface, _backlog)),
    "tcp6": _Form("tcp6:8080", ("port",), ("interface", "backlog"), (_port, _interface, _backlog)),
    "unix": _Form(
        "unix:/run/x.sock", ("address",), ("mode", "backlog", "lockfile"), (_path, _backlog)
    ),
    "ssl": _Form(
        "ssl:443:privateKey=key.pem",
        ("port",),
        (
            "privateKey",
            "certKey",
            "sslmethod",
            "interface",
            "backlog",
            "extraCertChain",
            "dhParameters",
        ),
        (_port, _interface, _backlog, _keys),
    ),
    "systemd": _Form(
        "systemd:domain=INET6:name=finger", ("domain",), ("index", "name"), (_descriptor,)
    ),
}


def _check(endpoint: Endpoint, text: str) -> None:
    form = _FORMS.get(endpoint.type)
    if form is None:
        types = {*_FORMS, *_plugin_types()}
        if endpoint.type not in types:
            raise ValueError(
                f"{quoted(text)}: there is no endpoint type {quoted(endpoint.type)};"
                f" {did_you_mean(endpoint.type, types)}"
            )
        return
    for complaint in _slips(endpoint, form):
        raise ValueError(f"{quoted(text)}: {complaint}")


def _slips(endpoint: Endpoint, form: _Form) -> Iterator[str]:
    known = (*form.arguments, *form.options)
    for name in endpoint.options:
        if name not in known:
            yield f"{endpoint.type} has no option {quoted(name)}; {did_you_mean(name, known)}"
    if len(endpoint.arguments) > len(form.arguments):
        yield f'{quoted(endpoint.arguments[-1])} has no name; as in "{form.right}"'
    yield from filter(None, (check(endpoint) for check in form.checks))


def _plugin_types() -> set[str]:
    return {plugin.prefix for plugin in getPlugins(IStreamServerEndpointStringParser)}


def _below(base: Path, endpoint: Endpoint) -> Endpoint:
    """Put the relative paths of `endpoint` below `base`, and look whether its keys can be read."""
    arguments, options = list(endpoint.arguments), dict(endpoint.options)
    if endpoint.type == "unix" and arguments:
        arguments[0] = str(base / arguments[0])
    for key in options.keys() & {
        "address",
        "privateKey",
        "certKey",
        "extraCertChain",
        "dhParameters",
    }:
        options[key] = str(base / options[key])
    placed = Endpoint(endpoint.type, tuple(arguments), options)
    complaint = _readable_keys(placed) if endpoint.type == "ssl" else None
    if complaint:
        raise ValueError(f"{quoted(str(endpoint))}: {complaint}")
    return placed


def _address(text: str) -> str:
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _covers(one: str, other: str) -> bool:
    """Return whether a socket on `one` leaves no room for one on `other` (Linux, bindv6only=0)."""
    return one == "::" or (one == "0.0.0.0" and ":" not in other)
