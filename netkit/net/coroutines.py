"""Coroutines that mostly have nothing to wait for.

`Deferred.fromCoroutine` costs several times what a look-up in memory does. Rule: a coroutine that
never waits costs no Deferred; one that waits behaves as under `fromCoroutine`.
"""

from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

T = TypeVar("T")


def start(coroutine: Coroutine[Deferred[Any], Any, T]) -> T | Deferred[T]:
    """Run `coroutine` to its first wait.

    Return what it returned where there was no wait, else a Deferred of what it will return, which
    can be cancelled. What it raises before the first wait is raised here.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    return Deferred.fromCoroutine(_rest(coroutine, awaited))


def _rest(
    coroutine: Coroutine[Deferred[Any], Any, T], awaited: Deferred[Any]
) -> Generator[Deferred[Any], Any, T]:
    """Hand on what `coroutine` waits for, and give it what came of it."""
    try:
        while True:
            try:
                came = yield awaited
            except Exception as error:  # noqa: BLE001 (it is the coroutine's own)
                awaited = coroutine.throw(error)
            else:
                awaited = coroutine.send(came)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        coroutine.close()
