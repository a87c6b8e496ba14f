"""One stream of bytes, split in all the ways a network may."""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import strategies as st


def streams(*parts: bytes) -> st.SearchStrategy[bytes]:
    """Return streams made of up to two dozen of `parts`."""
    return st.lists(st.sampled_from(parts), max_size=24).map(b"".join)


def split(stream: bytes, draw: Callable[[st.SearchStrategy[list[int]]], list[int]]) -> list[bytes]:
    """Return `stream` in pieces, some of which may be empty; `draw` is a test's own `data.draw`."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    return [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
