"""How both sides introduce themselves: INFO from the server, CONNECT from the client, both JSON.

Rule: what a peer wrote becomes a value of the types below or nothing; keys that are not known here
are passed over, as every implementation does, and null is as good as nothing.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

from attrs import field, fields, frozen

_Greeting = TypeVar("_Greeting", bound="Connect | Info")


class GreetingError(ValueError):
    """The text is no JSON object, or something in it has the wrong type."""


@frozen(kw_only=True)
class Connect:
    """What a client says of itself. It is verbose and pedantic unless it says otherwise."""

    verbose: bool = True
    pedantic: bool = True
    echo: bool = True
    headers: bool = False
    no_responders: bool = False
    tls_required: bool = False
    protocol: int = 0
    name: str = ""
    lang: str = ""
    version: str = ""
    user: str = ""
    password: str = field(default="", repr=False, metadata={"key": "pass"})
    token: str = field(default="", repr=False, metadata={"key": "auth_token"})


@frozen(kw_only=True)
class Info:
    """What a server says of itself. `ldm` says that it is about to go (lame duck mode).

    `edge` is netkit's own: the server is an edge of a cluster, and so no server of one.
    """

    server_id: str = ""
    server_name: str = ""
    version: str = ""
    go: str = ""
    host: str = ""
    port: int = 0
    proto: int = 1
    headers: bool = False
    max_payload: int = 1024 * 1024
    auth_required: bool = False
    tls_required: bool = False
    tls_available: bool = False
    tls_verify: bool = False
    ldm: bool = False
    jetstream: bool = False
    client_id: int = 0
    client_ip: str = ""
    cluster: str = ""
    nonce: str = ""
    edge: bool = False
    connect_urls: tuple[str, ...] = ()


def read(greeting: type[_Greeting], text: bytes) -> _Greeting:
    """Return the greeting that `text` is; GreetingError: it is none."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise GreetingError("no JSON") from None
    if not isinstance(values, dict):
        raise GreetingError("no JSON object")
    types = _TYPES[greeting]
    return greeting(
        **{
            types[key][0]: _checked(key, value, types[key][1])
            for key, value in values.items()
            if key in types and value is not None
        }
    )


def written(greeting: Connect | Info) -> bytes:
    """Return the greeting as one line of JSON, without what is empty or 0, nor what a server is not."""
    says_no = isinstance(greeting, Connect)
    values = {
        key: value
        for key, (name, _) in _TYPES[type(greeting)].items()
        if (value := getattr(greeting, name)) or (value is False and says_no)
    }
    return json.dumps(values, separators=(",", ":")).encode()


def _checked(key: str, value: object, wanted: Any) -> Any:  # noqa: ANN401 (whatever JSON can hold)
    if wanted in (bool, int, str):
        if type(value) is wanted and not _torn(value):
            return value
    elif isinstance(value, list):
        return tuple(_checked(key, one, str) for one in value)
    raise GreetingError(f"{key} has the wrong type")


def _torn(value: object) -> bool:
    """Return whether it is text with half a character (a lone surrogate), which nothing can encode."""
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def _types(greeting: type[Connect] | type[Info]) -> dict[str, tuple[str, Any]]:
    hints = get_type_hints(greeting)
    return {
        one.metadata.get("key", one.name): (one.name, hints[one.name]) for one in fields(greeting)
    }


_TYPES: Mapping[type, dict[str, tuple[str, Any]]] = {Connect: _types(Connect), Info: _types(Info)}
