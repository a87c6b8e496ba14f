"""What the command line says."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from attrs import frozen


@frozen
class Options:
    """What is measured, how often and how long, and how it is written."""

    only: tuple[str, ...]
    everything: bool
    rounds: int
    seconds: int
    markdown: bool
    json: Path | None


def parsed(words: Sequence[str] | None, families: Iterable[str], *, only: str = "") -> Options:
    """Return the options in `words`; end with a usage line where they are not right.

    `only` is what `--only` is where it is not said.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure netkit beside its peers."
    )
    parser.add_argument(
        "--only",
        type=_some_of(tuple(families)),
        default=only,
        metavar="NAMES",
        help=f"some of {','.join(families)} (or $ONLY, or all)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        dest="everything",
        help="also works in which netkit has no part yet",
    )
    parser.add_argument(
        "--rounds", type=_between(1, 50), default=5, metavar="N", help="runs of each side (5)"
    )
    parser.add_argument(
        "--seconds", type=_between(1, 60), default=2, metavar="N", help="of each run (2)"
    )
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run to FILE")
    return Options(**vars(parser.parse_args(words)))


def _some_of(families: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def names(written: str) -> tuple[str, ...]:
        found = tuple(filter(None, map(str.strip, written.split(","))))
        for name in found:
            if name not in families:
                raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(families)}")
        return found

    return names


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(written: str) -> int:
        if not (written.isdecimal() and low <= int(written) <= high):
            raise argparse.ArgumentTypeError(f"{written} is not right; {low} to {high}")
        return int(written)

    return number
