"""Which paths a rule is for. Pure.

A rule's path is a decoded path, as a visitor's is: `/old` stands for exactly that, `/old/*` for
everything below `/old/`, and `/*` for everything.
"""

import re

from attrs import frozen

from netkit.document.values import quoted
from netkit.http.dotsegments import without_dots

_FORM = re.compile(r"(?:/[^/%?#\\*\x00-\x20\x7f]*)+?(?:/\*)?|/\*")

RIGHT = 'a path is written as "/old", or "/old/*" with all below it, and decoded'


@frozen
class PathPattern:
    """The paths that begin with `start`, or `start` alone where it is not `open`."""

    start: str
    open: bool

    @classmethod
    def of(cls, written: str) -> "PathPattern":
        """Return the pattern `written`, which has no complaint."""
        opened = written.endswith("/*")
        return cls(written.removesuffix("*") if opened else written, opened)

    def rest(self, path: str) -> str | None:
        """Return what `path` has behind the pattern's start; None where it does not fit."""
        if self.open:
            return path.removeprefix(self.start) if path.startswith(self.start) else None
        return "" if path == self.start else None


@frozen
class RulePath:
    """Checks the path of a rule (see `netkit.document.values`)."""

    def complaint(self, value: object) -> str | None:
        """Return the form where `value` does not have it."""
        written = str(value)
        if _FORM.fullmatch(written) and without_dots(written) == written and "//" not in written:
            return None
        return f"{quoted(written)} is not right; {RIGHT}"
