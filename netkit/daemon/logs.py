"""The table `[log]`: events become lines of text or of JSON.

Rule: a line of the log is one line of the file, whatever a peer sent: control characters are
written as escapes. A log that cannot be written is let go of silently, never a service.
"""

import json
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    PredicateResult,
    eventAsText,
    formatEvent,
)
from twisted.python.logfile import LogFile
from zope.interface import provider

from netkit.config.schema import Level, Log, LogFormat
from netkit.document.values import printable


class LeveledLogger(Logger):
    """A logger that makes no event of what is below its `least` level, so that it costs nothing."""

    def __init__(self, name: str, log: Log) -> None:
        super().__init__(namespace=name)
        self._passes = frozenset(
            level
            for level in LogLevel.iterconstants()
            if level >= LogLevel.lookupByName(log.level.value)
        )

    def emit(self, level: LogLevel, format: str | None = None, **fields: object) -> None:  # noqa: A002 (Twisted's name)
        """Emit an event where its level is high enough."""
        if level in self._passes:
            super().emit(level, format, **fields)


def observer(log: Log, write_to: TextIO) -> ILogObserver:
    """Return what writes events to `write_to` in the format and from the level of `log`."""
    formats: dict[LogFormat, Callable[[LogEvent], str]] = {
        LogFormat.TEXT: as_text,
        LogFormat.JSON: as_json,
    }
    predicates = [LogLevelFilterPredicate(LogLevel.lookupByName(log.level.value))]
    if log.level is not Level.DEBUG:
        predicates.append(_without_chatter)
    return FilteringLogObserver(FileLogObserver(write_to, formats[log.format]), predicates)


@provider(ILogFilterPredicate)
def _without_chatter(event: LogEvent) -> Any:  # noqa: ANN401 (a constant of PredicateResult)
    """Leave out what Twisted's ports say of themselves; each listener has a line of ours."""
    chatter = event.get("log_namespace") == "log_legacy" and not event.get("isError")
    return PredicateResult.no if chatter else PredicateResult.maybe


def as_text(event: LogEvent) -> str:
    """Return `event` as text: time, namespace, level, words; a traceback's lines are indented."""
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    head, *rest = (printable(line) for line in text.split("\n"))
    level = event.get("log_level", LogLevel.info)
    lines = (f"{_time(event)} [{_namespace(event)}#{level.name}] {head}", *rest)
    return "\n    ".join(line for line in lines if line) + "\n"


def as_json(event: LogEvent) -> str:
    """Return `event` as one JSON object on a line of its own."""
    entry = {
        "time": _time(event),
        "level": event.get("log_level", LogLevel.info).name,
        "namespace": _namespace(event),
        "text": formatEvent(event),
    }
    if "log_failure" in event:
        entry["traceback"] = event["log_failure"].getTraceback()
    return json.dumps(entry) + "\n"


def destination(logfile: str | None, *, in_foreground: bool) -> TextIO:
    """Return where twistd would write: standard output, or a file that SIGUSR1 rotates."""
    if logfile == "-" or (in_foreground and not logfile):
        return sys.stdout
    rotating = LogFile.fromFullPath(logfile or "twistd.log")
    if not signal.getsignal(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, lambda *_: rotating.rotate())
    return rotating  # type: ignore[no-any-return]


def _time(event: LogEvent) -> str:
    return datetime.fromtimestamp(event.get("log_time", 0.0), UTC).isoformat(
        timespec="milliseconds"
    )


def _namespace(event: LogEvent) -> str:
    return printable(str(event.get("log_namespace") or event.get("log_system") or "-"))
