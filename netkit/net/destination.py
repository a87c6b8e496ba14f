"""Where to connect to, as operators write it: "tcp:HOST:PORT", "tls:HOST:PORT", "unix:PATH".

The strings are read by the grammar of Twisted's endpoint strings (twisted.internet.endpoints), in
which a backslash goes before a colon that separates nothing; an IPv6 address may stand in brackets
instead. Rule: a string that passes can be connected to, so far as that can be said without trying.
"""

import re
from enum import Enum
from pathlib import Path

from attrs import frozen

from netkit.document.values import did_you_mean, quoted
from netkit.net.addresses import host
from netkit.net.connect import Connector
from netkit.net.dial import AnnouncedWay, TcpWay, TlsWay, UnixWay, Way
from netkit.net.endpoint import Endpoint, taken_apart
from netkit.net.tlsclient import DEFAULT_TERMS, TlsTerms

LONGEST_PATH = 107  # bytes of a UNIX socket's path (unix(7))

_HIGHEST_PORT = 65535
_BRACKETS = re.compile(r"\[[^][\\]*\]")


class Transport(Enum):
    """What a destination is reached by."""

    TCP = "tcp"
    TLS = "tls"
    UNIX = "unix"


@frozen(cache_hash=True)
class Destination:
    """A server as it was written down.

    `host`, an address or a name in ASCII, and `port` are of TCP, with TLS or without; `name` is what
    the certificate has to be for. `path` is that of a UNIX socket.
    """

    transport: Transport
    host: str = ""
    port: int = 0
    name: str = ""
    path: str = ""

    def way(
        self, connector: Connector, terms: TlsTerms = DEFAULT_TERMS, header: bytes = b""
    ) -> Way:
        """Return the way there; with TLS, where the destination has it, on `terms`.

        `header`, as of the PROXY protocol, goes first, before TLS. What an operator has written is for
        a connector whose policy is ANYWHERE.
        """
        way = self._unsecured(connector)
        if header:
            way = AnnouncedWay(way, header)
        if self.transport is Transport.TLS:
            way = TlsWay(way, self.name, connector.clock, terms)
        return way

    def _unsecured(self, connector: Connector) -> Way:
        if self.transport is Transport.UNIX:
            return UnixWay(self.path, connector)
        return TcpWay(self.host, self.port, connector)

    def __str__(self) -> str:
        if self.transport is Transport.UNIX:
            return str(Endpoint("unix", (self.path,)))
        place = f"[{self.host}]" if ":" in self.host else self.host
        name = {"name": self.name} if self.name not in {"", self.host} else {}
        named = str(Endpoint("", (), name))
        return f"{self.transport.value}:{place}:{self.port}{named}"


@frozen
class _Form:
    """What the string of one transport may hold; `right` is an example."""

    right: str
    arguments: tuple[str, ...]
    options: tuple[str, ...] = ()


_FORMS = {
    Transport.TCP: _Form("tcp:127.0.0.1:8080", ("host", "port")),
    Transport.TLS: _Form("tls:server.example:443", ("host", "port"), ("name",)),
    Transport.UNIX: _Form("unix:/run/server.sock", ("path",)),
}


def parse(text: str, base: Path | None = None) -> Destination:
    """Return the destination that `text` names; a relative path is put below `base`.

    Raise ValueError with what is wrong and what would be right.
    """
    # Colons within brackets separate nothing.
    endpoint = taken_apart(_BRACKETS.sub(lambda match: match[0].replace(":", r"\:"), text))
    try:
        transport = _transport(endpoint, text)
        _check_form(endpoint, _FORMS[transport])
        if transport is Transport.UNIX:
            return Destination(transport, path=_path(endpoint.get(0, "path"), base))
        return _reached_by_tcp(transport, endpoint)
    except ValueError as error:
        raise ValueError(f"{quoted(text)}: {error}") from None


def _transport(endpoint: Endpoint, text: str) -> Transport:
    try:
        return Transport(endpoint.type)
    except ValueError:
        pass
    if "://" in text:
        raise ValueError('is a URL; as in "tcp:127.0.0.1:8080"')
    if endpoint.arguments and _is_port(endpoint.arguments[-1]) and "." in endpoint.type:
        raise ValueError(f'does not say by what; write it as "tcp:{text}"')
    known = [each.value for each in Transport]
    advice = did_you_mean(endpoint.type, known)
    raise ValueError(f"{quoted(endpoint.type)} is nothing to connect by; {advice}")


def _check_form(endpoint: Endpoint, form: _Form) -> None:
    known = (*form.arguments, *form.options)
    for name in endpoint.options:
        if name not in known:
            advice = did_you_mean(name, known)
            raise ValueError(f"{endpoint.type} has no option {quoted(name)}; {advice}")
    if len(endpoint.arguments) > len(form.arguments):
        extra = quoted(endpoint.arguments[len(form.arguments)])
        brackets = "; an IPv6 address stands in brackets" if "host" in known else ""
        raise ValueError(f'{extra} has no name; as in "{form.right}"{brackets}')


def _reached_by_tcp(transport: Transport, endpoint: Endpoint) -> Destination:
    right = _FORMS[transport].right
    written, port = endpoint.get(0, "host"), endpoint.get(1, "port")
    if not port and _is_port(written):
        raise ValueError(f'names no host; as in "{right}"')
    if not port:
        raise ValueError(f'names no port; as in "{right}"')
    if not _is_port(port):
        raise ValueError(f"{quoted(port)} is not a port; 1 to {_HIGHEST_PORT}")
    if not written:
        raise ValueError(f'names no host; as in "{right}"')
    found = host(written)
    name = str(host(endpoint.options["name"])) if "name" in endpoint.options else str(found)
    return Destination(transport, str(found), int(port), name if transport is Transport.TLS else "")


def _is_port(text: str) -> bool:
    return bool(re.fullmatch("[0-9]{1,5}", text)) and 0 < int(text) <= _HIGHEST_PORT


def _path(written: str, base: Path | None) -> str:
    if not written:
        raise ValueError(f'names no path; as in "{_FORMS[Transport.UNIX].right}"')
    path = str(base / written) if base else written
    if "\0" in path or len(path.encode(errors="surrogateescape")) > LONGEST_PATH:
        raise ValueError(f"is no path of a socket; {LONGEST_PATH} bytes at most, and no NUL")
    return path
