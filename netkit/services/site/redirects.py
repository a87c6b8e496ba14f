"""Redirects that an operator has written down. Pure.

Rule: whatever a visitor asks for, a redirect leads to the host that its rule names, or stays on this
one. What the visitor's path adds is encoded anew, and a place on this host begins with one slash.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Annotated

from attrs import evolve, frozen

from netkit.document.values import quoted
from netkit.http.messages import Response
from netkit.http.pages import html, link, page
from netkit.services.kind import Complaint
from netkit.services.site.patterns import PathPattern, RulePath
from netkit.services.site.routes import BadTargetError, decoded_path

STATUSES = (301, 302, 303, 307, 308)

_TO = re.compile(
    r"(?P<origin>https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?)?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()+,;=:@/-]|%[0-9A-Fa-f]{2})*)(?P<star>\*?)"
    r"(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?"
)


@frozen
class Destination:
    """Checks where a redirect leads to."""

    def complaint(self, value: object) -> str | None:
        """Return the form where `value` does not have it."""
        written = str(value)
        match = _TO.fullmatch(written)
        local = match is not None and not match["origin"]
        starred = match is not None and match["star"] and not match["path"].endswith("/")
        if match is None or starred or (local and written.startswith("//")):
            right = 'as in "/new", "/new/*" or "https://example.org/*", encoded as in a URL'
            return f"{quoted(written)} is not right; {right}"
        return None


@frozen
class RedirectStatus:
    """Checks the status of a redirect."""

    def complaint(self, value: object) -> str | None:
        """Return those that there are where `value` is none."""
        if value in STATUSES:
            return None
        return f"{value} is no redirect; {', '.join(map(str, STATUSES[:-1]))} or {STATUSES[-1]}"


@frozen
class Redirect:
    """One rule: `path` is a path or `/path/*`, `to` a place here or the URL of one elsewhere.

    A `*` at the end of `to` stands for what the visitor's path has in the place of that of `path`.
    The visitor's query is kept unless `to` has one.
    """

    path: Annotated[str, RulePath()]
    to: Annotated[str, Destination()]
    status: Annotated[int, RedirectStatus()] = HTTPStatus.PERMANENT_REDIRECT.value

    def location(self, rest: str, query: bytes) -> str:
        """Return the URL for a visitor whose path has `rest` behind the pattern's start."""
        match = _TO.fullmatch(self.to)
        assert match, "it was checked"  # noqa: S101 (see Destination)
        path = match["path"] + (link(rest) if match["star"] else "")
        if not match["origin"]:
            path = "/" + path.lstrip("/")
        kept = f"?{query.decode('ascii', 'replace')}" if query else ""
        return (match["origin"] or "") + path + (match["query"] or kept)


class Redirects:
    """The rules of one host; the longest path that fits wins, and a whole one over one with a *."""

    def __init__(self, rules: Iterable[Redirect]) -> None:
        self._exact: dict[str, Redirect] = {}
        opened: list[tuple[PathPattern, Redirect]] = []
        for rule in rules:
            pattern = PathPattern.of(rule.path)
            if pattern.open:
                opened.append((pattern, rule))
            else:
                self._exact[pattern.start] = rule
        opened.sort(key=lambda pair: len(pair[0].start), reverse=True)
        self._open = tuple(opened)

    def find(self, path: str) -> tuple[Redirect, str] | None:
        """Return the rule for `path`, and what the path has behind that of the rule."""
        rule = self._exact.get(path)
        if rule is not None:
            return rule, ""
        for pattern, opened in self._open:
            rest = pattern.rest(path)
            if rest is not None:
                return opened, rest
        return None

    def answer(self, path: str, query: bytes) -> Response | None:
        """Return the redirect for a visitor of `path` (decoded), or None."""
        found = self.find(path)
        if found is None:
            return None
        rule, rest = found
        return moved(rule.location(rest, query), rule.status)


def moved(location: str, status: int) -> Response:
    """Return a redirect to `location`, which is ASCII and encoded already."""
    body = html('<h1>Moved</h1>\n<p>It is <a href="{location}">here</a>.</p>', location=location)
    fields = ((b"Location", location.encode("ascii")),)
    return evolve(page("Moved", body, status=status, headers=fields), repeatable=True)


def complaints(rules: tuple[Redirect, ...]) -> Iterator[Complaint]:
    """Yield what is wrong between the rules of one host: a path twice, a way without an end."""
    table = Redirects(rules)
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.path in seen:
            text = f"{quoted(rule.path)} is taken; each redirect has its own path"
            yield Complaint((index, "path"), text)
        elif _endless(rule, table, len(rules)):
            text = f"{quoted(rule.to)} leads back to {quoted(rule.path)}; a place that is not redirected"
            yield Complaint((index, "to"), text)
        seen.add(rule.path)


def _endless(rule: Redirect, table: Redirects, rules: int) -> bool:
    """Return whether visitors who follow `rule`, and then whatever they find, come to no end."""
    pattern = PathPattern.of(rule.path)
    path = pattern.start + ("x" if pattern.open else "")
    for _ in range(rules + 1):
        found = table.find(path)
        if found is None:
            return False
        location = found[0].location(found[1], b"")
        if not location.startswith("/"):
            return False
        try:
            path = decoded_path(location.encode())
        except BadTargetError:
            return False
    return True
