"""Twisted's own tests of reactors, from the installed Twisted, run on the reactor of netkit.

They are the contract: a reactor that passes them is one. Twisted's tests of connections need
PyHamcrest, which is among our `test` extras.
"""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.internet.test.reactormixins import ReactorBuilder
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.reactor import EagerReactor

_SUBJECTS = (
    *("core", "fdset", "newtls", "process", "socket", "stdio"),
    *("tcp", "threads", "time", "tls", "udp", "unix"),
)
_PATIENCE = 20  # seconds, where Twisted waits for two minutes


class EPollReactor(EagerReactor):
    """Ours, by the name that Twisted's tests know.

    `test_lostFileDescriptor` passes by reactors of this name, since epoll says nothing of a
    descriptor that was closed; ours hears no more of it than Twisted's.
    """


def _interpreter_is_private() -> bool:
    """Return whether another user could not run this interpreter."""
    paths = (Path(sys.executable).resolve(), Path(sys.base_prefix).resolve())
    return not all(
        place.stat().st_mode & 0o001 for path in paths for place in (path, *path.parents)
    )


_FAIL_ON_STOCK_TOO = {}
if os.getuid() == 0 and _interpreter_is_private():
    _FAIL_ON_STOCK_TOO["test_changeUID"] = "the child, no longer root, may not run this interpreter"


def _builders(module: object) -> Iterator[type[ReactorBuilder]]:
    """Return what `module` tests reactors with: from each it has made a case for stock epoll."""
    for name, found in sorted(vars(module).items()):
        if f"{name}_EPollReactorTests" in vars(module):
            yield found


def _skipped(reason: str) -> Any:
    def test(_: object) -> None:
        raise AssertionError

    test.skip = reason  # type: ignore[attr-defined]  # trial looks for it
    return test


class _OnOurs(ReactorBuilder, SynchronousTestCase):
    """A case of Twisted's, on our reactor.

    Its warnings are dropped: Twisted's tests leave sockets open and use what is deprecated.
    """

    reactorFactory = EPollReactor
    timeout = _PATIENCE

    def setUp(self) -> None:
        self.addCleanup(self.flushWarnings)
        super().setUp()


def _cases(subject: str) -> dict[str, type[_OnOurs]]:
    cases = {}
    module = import_module(f"twisted.internet.test.test_{subject}")
    for builder in _builders(module):
        changes: dict[str, Any] = {
            name: _skipped(reason)
            for name, reason in _FAIL_ON_STOCK_TOO.items()
            if hasattr(builder, name)
        }
        name = f"{subject}_{builder.__name__}"
        cases[name] = type(name, (_OnOurs, builder), changes | {"__module__": __name__})
    return cases


if find_spec("hamcrest"):
    for _subject in _SUBJECTS:
        globals().update(_cases(_subject))


class CoverageTests(SynchronousTestCase):
    """What was found of Twisted's tests."""

    def test_every_subject(self) -> None:
        """There is a case of each of Twisted's subjects, or PyHamcrest is missing."""
        if not find_spec("hamcrest"):
            self.skipTest("Twisted's tests need PyHamcrest (pip install pyhamcrest)")
        cases = [name for name, value in globals().items() if _is_case(value)]
        self.assertEqual({name.split("_")[0] for name in cases}, set(_SUBJECTS))


def _is_case(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, _OnOurs) and value is not _OnOurs
