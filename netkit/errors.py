"""Complaints to an operator.

Every mistake an operator can make ends as a `Problem`: one line that says where, what is wrong and
what would be right. Problems are collected and raised together, so that one run shows them all.
"""

from collections.abc import Iterable

from attrs import frozen


@frozen(order=True)
class Problem:
    """One mistake in a file of an operator's.

    `line` counts from 1; 0 stands for the file as a whole. `where` is the table and key, as in
    `[service.finger] listen`, or empty.
    """

    file: str
    line: int
    where: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.where, self.text) if part)


class ConfigError(Exception):
    """The configuration cannot be used; `problems` says why, in the order of the files' lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))
