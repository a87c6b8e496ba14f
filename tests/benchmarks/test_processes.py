"""Processes: what /proc says of them, and how they fail."""

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.machine import free_ports
from benchmarks.processes import (
    FailedError,
    Process,
    conversation,
    last_line,
    listening,
    on_core,
    output_of,
    proportional,
    ticks,
)

CORE = min(os.sched_getaffinity(0))
SERVE = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\nwhile 1: s.accept()"


class ProcTests(SynchronousTestCase):
    def test_processor_time_of_a_process_and_its_dead(self) -> None:
        """The four figures of processor time are added, whatever the program is called."""
        stat = "77 (a) b (c) S 1 77 77 0 -1 4194304 100 0 0 0 11 22 33 44 20 0 1 0 12345 0 0"
        self.assertEqual(ticks(stat), 110)

    def test_proportional_memory(self) -> None:
        """Shared pages count by their share; the figure is in bytes."""
        self.assertEqual(proportional("Rss:   99 kB\nPss:     12 kB\nPss_Dirty: 3 kB\n"), 12288)
        self.assertEqual(proportional(""), 0)

    def test_this_process(self) -> None:
        """A process that is there uses processor time, memory and descriptors."""
        this = Process(os.getpid())
        self.assertGreater(this.processor_seconds(), 0)
        self.assertGreater(this.memory(), 0)
        self.assertGreater(this.descriptors(), 0)

    def test_last_line_that_says_anything(self) -> None:
        """Blank lines at the end are no reason."""
        self.assertEqual(last_line("one\ntwo \n\n"), "two")
        self.assertEqual(last_line("\n"), "")


class RunningTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder for the logs of servers."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def test_output(self) -> None:
        """A program's output comes back whole."""
        self.assertEqual(output_of((sys.executable, "-c", "print('yes')"), core=CORE), "yes\n")

    def test_failure_is_the_last_line(self) -> None:
        """A program that fails is known by its last words, or by its exit code."""
        error = self.assertRaises(FailedError, output_of, (sys.executable, "-c", "exit('no')"))
        self.assertEqual(str(error), "no")
        error = self.assertRaises(FailedError, output_of, (sys.executable, "-c", "exit(3)"))
        self.assertEqual(str(error), "exit code 3")

    def test_a_program_that_cannot_be_run(self) -> None:
        """A file that is no program is a failure in one line, too."""
        error = self.assertRaises(FailedError, output_of, (str(self.folder),))
        self.assertTrue(str(error).startswith("cannot be run: "), str(error))

    def test_the_core_is_given_back(self) -> None:
        """Only what is started in the block runs on that core alone."""
        before = os.sched_getaffinity(0)
        with on_core(CORE):
            self.assertEqual(os.sched_getaffinity(0), {CORE})
        self.assertEqual(os.sched_getaffinity(0), before)

    def test_a_server_ends_with_its_block(self) -> None:
        """A server listens while the block runs, on the core it was given, and is gone after it."""
        port, _ = free_ports()
        command = (sys.executable, "-c", SERVE, str(port))
        with listening(
            command, port, core=CORE, folder=self.folder, environment=os.environ
        ) as process:
            self.assertEqual(os.sched_getaffinity(process.pid), {CORE})
        self.assertFalse(Path(f"/proc/{process.pid}").exists())

    def test_a_server_that_ends_at_once(self) -> None:
        """A server that does not start is known by its last words."""
        port, _ = free_ports()
        command = (sys.executable, "-c", "exit('the port is taken')")
        server = listening(command, port, core=CORE, folder=self.folder, environment=os.environ)
        error = self.assertRaises(FailedError, server.__enter__)
        self.assertEqual(str(error), "did not start: the port is taken")

    def test_a_line_for_a_line(self) -> None:
        """A load program that holds connections is talked to line by line."""
        answering = "for line in iter(input, 'end'): print(line * 2, flush=True)"
        with conversation((sys.executable, "-c", answering), core=CORE) as program:
            self.assertEqual(program.ask("ab"), "abab\n")
            self.assertRaises(FailedError, program.ask, "end")
