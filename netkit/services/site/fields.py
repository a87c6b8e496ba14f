"""Header fields that an operator sets or removes in a host's answers. Pure.

Rule: a rule is about what an answer says, never about how the message is framed, which is the
server's alone. The longest path has the last word.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated

from attrs import evolve, field, frozen

from netkit.document.values import Matching, quoted
from netkit.http.messages import Headers, Response
from netkit.services.kind import Complaint
from netkit.services.site.patterns import PathPattern, RulePath

SERVERS_OWN = frozenset(
    (
        "connection",
        "content-length",
        "content-range",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Fields that say where a message ends, or what part of a whole it is (RFC 9110 7.6.1, RFC 9112 6)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = Matching(
    re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e]{0,4000}[\x21-\x7e])?)?"),
    "one line of printable ASCII, without blanks at its ends",
)


@frozen
class FieldName:
    """Checks the name of a field that may be set or removed."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value` as such a name."""
        written = str(value)
        if not _TOKEN.fullmatch(written):
            return f'{quoted(written)} is no name of a header field; one such as "X-Frame-Options"'
        if written.lower() in SERVERS_OWN:
            return f"{quoted(written)} is the server's own; a rule is for the others"
        return None


@frozen
class FieldRule:
    """One rule: for answers to `path` (a path or `/path/*`), `remove` some fields and `set` others."""

    path: Annotated[str, RulePath()] = "/*"
    set: dict[str, Annotated[str, _VALUE]] = field(factory=dict)
    remove: tuple[Annotated[str, FieldName()], ...] = ()


@frozen
class _Change:
    """What a rule does: the names, in lower case, that go, and the fields that come."""

    pattern: PathPattern
    gone: frozenset[bytes]
    come: Headers

    @classmethod
    def of(cls, rule: FieldRule) -> "_Change":
        come = tuple((name.encode(), value.encode()) for name, value in rule.set.items())
        gone = frozenset(name.lower().encode() for name in (*rule.remove, *rule.set))
        return cls(PathPattern.of(rule.path), gone, come)


class FieldRules:
    """The rules of one host."""

    def __init__(self, rules: Iterable[FieldRule]) -> None:
        changes = map(_Change.of, rules)
        # Whole paths after those with a *, the longer ones last.
        self._changes = sorted(
            changes, key=lambda each: (not each.pattern.open, len(each.pattern.start))
        )

    def changed(self, response: Response, path: str) -> Response:
        """Return the answer to `path` (decoded) as the rules have it."""
        headers = response.headers
        for change in self._changes:
            if change.pattern.rest(path) is not None:
                kept = tuple(pair for pair in headers if pair[0].lower() not in change.gone)
                headers = kept + change.come
        return response if headers is response.headers else evolve(response, headers=headers)


def complaints(rules: Iterable[FieldRule]) -> Iterator[Complaint]:
    """Yield what is wrong with rules: names of fields, and rules that do nothing."""
    name = FieldName()
    for index, rule in enumerate(rules):
        for written in rule.set:
            wrong = name.complaint(written)
            if wrong:
                yield Complaint((index, "set", written), wrong)
        if not rule.set and not rule.remove:
            yield Complaint((index,), "does nothing; write set, remove or both")
