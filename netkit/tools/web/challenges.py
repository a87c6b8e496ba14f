"""What a server asks for in WWW-Authenticate (RFC 9110 11.6.1). Pure.

Rule: no value raises, and what cannot be understood is no challenge.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from attrs import field, frozen

from netkit.http.fields import members, unquoted
from netkit.http.messages import Headers

MOST_MEMBERS = 100
"""Of one answer's challenges and their parameters, so many are looked at."""

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER = re.compile(rb"(" + _TOKEN + rb')[ \t]*=[ \t]*("[^\x00]*"|' + _TOKEN + rb")", re.DOTALL)
_CHALLENGE = re.compile(rb"(" + _TOKEN + rb")(?:[ \t]+(.*))?", re.DOTALL)


@frozen
class Challenge:
    """A scheme that the server takes, in lower case, and its parameters, with names in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(factory=dict)

    @property
    def realm(self) -> str:
        """What a login is good for."""
        return self.parameters.get("realm", "")


def challenges(headers: Headers) -> tuple[Challenge, ...]:
    """Return what the fields WWW-Authenticate ask for, in their order."""
    fields = (value for name, value in headers if name.lower() == b"www-authenticate")
    return parse(b", ".join(fields))


def parse(value: bytes) -> tuple[Challenge, ...]:
    """Return the challenges of one field's value."""
    return tuple(_gathered(islice(members(value), MOST_MEMBERS)))


def _gathered(parts: Iterable[bytes]) -> list[Challenge]:
    found: list[tuple[str, dict[str, str]]] = []
    for part in parts:
        parameter = _PARAMETER.fullmatch(part)
        if parameter is None:
            begun = _CHALLENGE.fullmatch(part)
            if begun is None:
                continue
            found.append((_text(begun[1]).lower(), {}))
            parameter = _PARAMETER.fullmatch((begun[2] or b"").strip(b" \t"))
        if parameter is not None and found:
            content = unquoted(parameter[2])
            if content is not None:
                found[-1][1].setdefault(_text(parameter[1]).lower(), _text(content))
    return [Challenge(scheme, parameters) for scheme, parameters in found]


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
