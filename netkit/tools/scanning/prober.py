"""Sockets for a schedule: attempts to connect, told of as they end.

A refused attempt leaves its socket as good as new, and most answers of a near host are there before
the system call is over: asking a second time says so, and neither the reactor nor another socket is
needed for it. Both are as Linux has it. Rule: nothing is sent on a connection, and it is closed by a
reset, which leaves no local port waiting.
"""

import errno
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReadWriteDescriptor
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.tools.scanning.schedule import HostScan, Probe, Schedule
from netkit.tools.scanning.verdicts import MEANINGS, MEANINGS_AT_ONCE, OPEN, SILENT, Verdict

BANNER_BYTES = 256

_BATCH = 256  # attempts that begin in one turn of the reactor
_LOOK = 0.02  # seconds from one look at what is late to the next
_UNDER_WAY = {errno.EINPROGRESS, errno.EALREADY}
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, and no time to send what is left
_MOST_PLACES = 512


@define(eq=False)
@implementer(IReadWriteDescriptor)
class _Attempt:
    """A connection that is being made, or is open to hear what the server says."""

    prober: "Prober"
    probe: Probe
    socket: socket.socket
    to: tuple[Any, ...]
    begun: float
    heard: bytes | None = None

    def fileno(self) -> int:
        """See IFileDescriptor."""
        return self.socket.fileno()

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return "scan"

    def doWrite(self) -> None:
        """See what has become of it."""
        self.prober.look_at(self)

    doRead = doWrite

    def connectionLost(self, _: Failure) -> None:
        """See why it was not made, or hear no more: epoll has reported an error."""
        self.prober.look_at(self)


class Prober:
    """Tries what `schedule` says, on `reactor`, until nothing is left.

    What a server says first is waited for, up to 256 bytes or the end of a line, for `listens` seconds
    at most. `progressed` is called now and then.
    """

    def __init__(
        self,
        reactor: Any,  # noqa: ANN401 (as Twisted's: it is many interfaces)
        schedule: Schedule,
        *,
        listens: float = 0.0,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        self._reactor = reactor
        self._schedule = schedule
        self._listens = listens
        self._progressed = progressed
        self._places: dict[HostScan, tuple[int, tuple[Any, ...]]] = {}
        self._attempts: dict[_Attempt, None] = {}
        self._spare: socket.socket | None = None
        self._spare_family = 0
        self._turn: IDelayedCall | None = None
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor
        self._done: Deferred[None] = Deferred(lambda _: self._stop())

    def run(self) -> Deferred[None]:
        """Return when all is done; whoever cancels it has all attempts ended."""
        self._looking.start(_LOOK, now=False).addErrback(self._give_up)
        self._go_on()
        return self._done

    def _give_up(self, failure: Failure) -> None:
        self._stop()
        if not self._done.called:
            self._done.errback(failure)

    def _go_on(self) -> None:
        """Begin more in the next turn of the reactor."""
        if self._turn is None:
            self._turn = self._reactor.callLater(0, self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        try:
            self._begin_some()
        except Exception:  # noqa: BLE001 (whoever waits is told)
            self._give_up(Failure())

    def _begin_some(self) -> None:
        schedule = self._schedule
        now = self._reactor.seconds()
        for _ in range(_BATCH):
            probe = schedule.next(now)
            if probe is None:
                break
            now = self._begin(probe, now)
        else:
            self._go_on()
        self._progressed()
        if schedule.is_done and not self._done.called:
            self._stop()
            self._done.callback(None)

    def _begin(self, probe: Probe, now: float) -> float:
        """Try `probe`; return what time it is by then."""
        try:
            family, place = self._places.get(probe.host) or self._find(probe.host)
            sock = self._socket(family)
        except OSError as error:
            no_zone = isinstance(error, socket.gaierror)
            self._schedule.fail(probe, errno.ENODEV if no_zone else error.errno or 0, now)
            return now
        to = (place[0], probe.port, *place[1:])
        meanings = MEANINGS_AT_ONCE
        code = sock.connect_ex(to)
        if code == errno.EINPROGRESS:
            meanings = MEANINGS
            code = sock.connect_ex(to)
        if code in _UNDER_WAY:
            attempt = _Attempt(self, probe, sock, to, now)
            self._attempts[attempt] = None
            self._reactor.addWriter(attempt)
            return now
        ended: float = self._reactor.seconds()
        if meanings.get(code) is OPEN:
            self._connected(probe, sock, now, ended)
        else:
            self._spare, self._spare_family = sock, family
            self._failed(probe, code, meanings, now, ended)
        return ended

    def _find(self, host: HostScan) -> tuple[int, tuple[Any, ...]]:
        """Return the family of the host's address, and the address without a port."""
        if len(self._places) > _MOST_PLACES:
            self._places.clear()
        flags = socket.AI_NUMERICHOST
        family, _, _, _, found = socket.getaddrinfo(
            host.address, 0, type=socket.SOCK_STREAM, flags=flags
        )[0]
        self._places[host] = family, (found[0], *found[2:])
        return self._places[host]

    def _socket(self, family: int) -> socket.socket:
        """Return a socket that is not connected."""
        spare, self._spare = self._spare, None
        if spare is not None:
            if family == self._spare_family:
                return spare
            spare.close()
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(0)
        return made

    def _failed(
        self, probe: Probe, code: int, meanings: Mapping[int, Verdict], begun: float, now: float
    ) -> None:
        """Tell the schedule that the attempt that had `begun` then has failed with `code`."""
        said = meanings.get(code)
        if said is None:
            self._schedule.fail(probe, code, now)
        elif said is SILENT:
            self._schedule.silent(probe)
        else:
            self._schedule.settle(probe, said, now - begun, now)

    def _connected(self, probe: Probe, sock: socket.socket, begun: float, now: float) -> None:
        if _is_with_itself(sock):
            _reset(sock)
            self._schedule.again(probe)
            return
        self._schedule.open(probe, now - begun, now)
        if self._listens:
            attempt = _Attempt(self, probe, sock, (), now, b"")
            self._attempts[attempt] = None
            self._reactor.addReader(attempt)
        else:
            _reset(sock)
            self._schedule.close(probe)

    def look_at(self, attempt: _Attempt) -> None:
        """See what has become of `attempt`, of which epoll has said something."""
        if attempt not in self._attempts:
            return
        if attempt.heard is None:
            self._ask(attempt)
        else:
            self._hear(attempt, attempt.heard)

    def _ask(self, attempt: _Attempt) -> bool:
        """Return whether `attempt` has ended, and tell what came of it."""
        code = attempt.socket.connect_ex(attempt.to)
        if code in _UNDER_WAY:
            self._reactor.addWriter(attempt)
            return False
        self._forget(attempt)
        now = self._reactor.seconds()
        if MEANINGS.get(code) is OPEN:
            self._connected(attempt.probe, attempt.socket, attempt.begun, now)
        else:
            attempt.socket.close()
            self._failed(attempt.probe, code, MEANINGS, attempt.begun, now)
        self._go_on()
        return True

    def _hear(self, attempt: _Attempt, heard: bytes) -> None:
        try:
            data = attempt.socket.recv(BANNER_BYTES - len(heard))
        except BlockingIOError:
            self._reactor.addReader(attempt)
            return
        except OSError:
            data = b""
        attempt.heard = heard + data
        if not data or b"\n" in data or len(attempt.heard) >= BANNER_BYTES:
            self._hang_up(attempt)

    def _hang_up(self, attempt: _Attempt) -> None:
        self._forget(attempt)
        _reset(attempt.socket)
        self._schedule.close(attempt.probe, attempt.heard or b"")
        self._go_on()

    def _forget(self, attempt: _Attempt) -> None:
        del self._attempts[attempt]
        self._reactor.removeReader(attempt)
        self._reactor.removeWriter(attempt)

    def _look(self) -> None:
        """End what has waited long enough."""
        now = self._reactor.seconds()
        for attempt in tuple(self._attempts):
            waited = now - attempt.begun
            if attempt.heard is not None:
                if waited >= self._listens:
                    self._hang_up(attempt)
            elif waited >= attempt.probe.patience and not self._ask(attempt):
                # Asked once more: where this process was late, the answer was not.
                self._forget(attempt)
                attempt.socket.close()
                self._schedule.silent(attempt.probe)
        self._go_on()

    def _stop(self) -> None:
        """Close everything."""
        if self._looking.running:
            self._looking.stop()
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        for attempt in tuple(self._attempts):
            self._forget(attempt)
            _reset(attempt.socket)
        if self._spare is not None:
            self._spare.close()
            self._spare = None


def _is_with_itself(sock: socket.socket) -> bool:
    """Return whether the local port that the kernel chose is the one that was tried.

    Then the two ends of one socket have met (RFC 9293, figure 8), and nobody listens there.
    """
    try:
        return bool(sock.getsockname() == sock.getpeername())
    except OSError:  # reset by now: somebody was there
        return False


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()
