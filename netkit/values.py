"""Frozen values as `attrs.frozen` makes them, for what is made for each message.

Rule: mypy lets nobody set a field; at run time nothing does, since a class that forbids it takes twice
as long to make its objects. What is made less often is attrs' own `frozen`.
"""

from functools import partial
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from attrs import frozen
else:
    frozen = partial(define, unsafe_hash=True)

__all__ = ("frozen",)
