"""Log lines: one event is one line, whatever is in it."""

import io
import json
import sys
from pathlib import Path
from typing import cast

from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, LogPublisher, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.config.schema import Level, Log, LogFormat
from netkit.daemon.logs import LeveledLogger, destination, observer

HOSTILE = "a\r\nb\x1b[31mc\x9bd\u202e"


class LogTestCase(SynchronousTestCase):
    def lines(self, log: Log, **fields: object) -> list[str]:
        """Return what a debug line, a warning and a failure become."""
        written = io.StringIO()
        logger = Logger("netkit.test", observer=LogPublisher(observer(log, written)))
        logger.debug("small")
        logger.warn("said {what}", what=HOSTILE)
        try:
            int(HOSTILE)
        except ValueError:
            logger.failure("broke")
        return written.getvalue().splitlines()


class TextTests(LogTestCase):
    def test_one_line(self) -> None:
        """Control characters are written as escapes, so a peer can neither forge nor paint lines."""
        lines = self.lines(Log())
        self.assertRegex(
            lines[0],
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00 \[netkit\.test#warn\] said"
            r" a\\r\n?",
        )
        self.assertFalse([c for line in lines for c in line if not c.isprintable()])

    def test_traceback(self) -> None:
        """A traceback's lines are indented below the words."""
        lines = self.lines(Log())
        at = next(index for index, line in enumerate(lines) if line.endswith("#critical] broke"))
        self.assertEqual(lines[at + 1], "    Traceback (most recent call last):")

    def test_chatter(self) -> None:
        """What Twisted's ports say of themselves is left out, and its errors are not."""
        written = io.StringIO()
        log = observer(Log(), written)
        legacy = {"log_namespace": "log_legacy", "log_level": LogLevel.info}
        log({**legacy, "log_format": "Gate starting on 1"})
        log({**legacy, "log_format": "broke", "isError": 1})
        self.assertEqual(written.getvalue().split()[-1], "broke")

    def test_level(self) -> None:
        """What is below the level is left out."""
        self.assertNotIn("small", "".join(self.lines(Log())))
        self.assertIn("small", "".join(self.lines(Log(level=Level.DEBUG))))
        self.assertEqual(self.lines(Log(level=Level.ERROR))[0][-5:], "broke")


class LeveledLoggerTests(SynchronousTestCase):
    def test_least(self) -> None:
        """What is below the level is no event at all."""
        events: list[LogEvent] = []
        logger = LeveledLogger("netkit.test", Log(level=Level.WARN))
        logger.observer = LogPublisher(cast("ILogObserver", events.append))
        logger.info("small")
        logger.warn("said {what}", what=1)
        logger.error("worse")
        self.assertEqual([formatEvent(event) for event in events], ["said 1", "worse"])


class JsonTests(LogTestCase):
    def test_objects(self) -> None:
        """Each line is one JSON object, and a failure brings its traceback."""
        warning, failure = map(json.loads, self.lines(Log(format=LogFormat.JSON)))
        self.assertEqual(warning["text"], f"said {HOSTILE}")
        self.assertEqual((warning["level"], warning["namespace"]), ("warn", "netkit.test"))
        self.assertIn("ValueError", failure["traceback"])


class DestinationTests(SynchronousTestCase):
    def test_foreground(self) -> None:
        """In the foreground lines go to standard output, as twistd's do."""
        self.assertIs(destination(None, in_foreground=True), sys.stdout)
        self.assertIs(destination("-", in_foreground=True), sys.stdout)

    def test_file(self) -> None:
        """A named file is appended to."""
        name = self.mktemp()
        Path(name).write_text("before\n")
        log = destination(name, in_foreground=False)
        log.write("after\n")
        log.close()
        self.assertEqual(Path(name).read_text(), "before\nafter\n")
