"""Passwords are checked elsewhere, within limits, and remembered for a while."""

from collections.abc import Callable

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.net.logins import (
    BusyError,
    LoginLimits,
    Logins,
    TooManyTriesError,
    in_threads,
    shown_user,
)
from netkit.passwords import Cost, Passwords, hashed
from tests.http.fakes import PEER, recorded

PASSWORDS = Passwords({"alice": hashed("sesame", Cost(ln=9))})


def peer(number: int = 1) -> IPv4Address:
    """Return one of many addresses."""
    return IPv4Address("TCP", f"192.0.2.{number}", 40000)


class Threads:
    """Work that is done when a test says so."""

    def __init__(self) -> None:
        self.begun: list[tuple[Callable[[], bool], Deferred[bool]]] = []
        self.done = 0

    def elsewhere(self, work: Callable[[], bool]) -> Deferred[bool]:
        """Keep the work."""
        answer: Deferred[bool] = Deferred()
        self.begun.append((work, answer))
        return answer

    def finish(self) -> None:
        """Do what has begun, and what begins by that."""
        while self.begun:
            work, answer = self.begun.pop(0)
            self.done += 1
            answer.callback(work())


class Checking(SynchronousTestCase):
    def setUp(self) -> None:
        """Make logins whose threads and clock the test turns."""
        self.limits = LoginLimits(at_once=2, waiting=3, tries=4, remembered=2, remember=60)
        self.renew()

    def renew(self, **kw: float) -> None:
        """Begin anew with other limits."""
        self.clock, self.threads = Clock(), Threads()
        self.events: list[LogEvent] = []
        self.logins = Logins(
            PASSWORDS,
            self.threads.elsewhere,
            self.clock,
            recorded(self.events),
            evolve(self.limits, **kw),  # type: ignore[arg-type] # whole numbers where they must be
        )

    def ask(self, user: str, password: str, who: IAddress = PEER) -> Deferred[bool]:
        """Ask, where the answer cannot be there at once."""
        answer = self.logins.check(user, password, who)
        assert isinstance(answer, Deferred)
        return answer

    def lines(self) -> list[str]:
        """Return the log."""
        return [formatEvent(event) for event in self.events]

    def test_right_and_remembered(self) -> None:
        """The right password is checked once, and again when it has been remembered long enough."""
        answer = self.ask("alice", "sesame")
        self.assertNoResult(answer)
        self.threads.finish()
        self.assertIs(self.successResultOf(answer), True)
        self.clock.advance(59)
        self.assertIs(self.logins.check("alice", "sesame", peer(9)), True)
        self.clock.advance(1)
        self.ask("alice", "sesame")
        self.assertEqual(self.lines(), [])

    def test_wrong(self) -> None:
        """A wrong password is a line in the log, is not remembered, and costs as much every time."""
        for user in ("alice", "nobody"):
            for _ in range(2):
                answer = self.ask(user, "wrong")
                self.threads.finish()
                self.assertIs(self.successResultOf(answer), False)
        self.assertEqual(self.threads.done, 4)
        self.assertEqual(
            self.lines(),
            ['auth failed for "alice" from 192.0.2.7'] * 2
            + ['auth failed for "nobody" from 192.0.2.7'] * 2,
        )

    def test_halves(self) -> None:
        """What is remembered is a name and a password, not the two in one piece."""
        answer = self.ask("alice", "sesame")
        self.threads.finish()
        self.successResultOf(answer)
        for user, password in (("alices", "esame"), ("alic", "esesame"), ("alice", "")):
            self.assertNoResult(self.ask(user, password))

    def test_bounded_at_once(self) -> None:
        """So many are checked at a time, so many wait, and the next is told to come back."""
        asked = [self.ask("alice", f"wrong{number}", peer(number)) for number in range(5)]
        self.assertEqual(len(self.threads.begun), 2)
        self.assertRaises(BusyError, self.logins.check, "alice", "sesame", peer(9))
        self.threads.finish()
        self.assertEqual([self.successResultOf(each) for each in asked], [False] * 5)
        self.assertEqual(self.threads.done, 5)
        self.ask("alice", "sesame")

    def test_bounded_for_an_address(self) -> None:
        """An address has its tries, and more by and by; others are not kept waiting."""
        self.renew(at_once=10)
        for number in range(4):
            self.ask("alice", f"wrong{number}")
        self.assertRaises(TooManyTriesError, self.logins.check, "alice", "more", PEER)
        self.assertNoResult(self.ask("alice", "more", peer(2)))
        self.clock.advance(2)
        self.assertNoResult(self.ask("alice", "still more"))

    def test_an_address_of_ipv6(self) -> None:
        """An IPv6 address is counted with its neighbours; a UNIX socket has no address."""
        self.renew(at_once=20)
        for number in range(4):
            self.ask("alice", f"wrong{number}", IPv6Address("TCP", f"2001:db8::{number}", 1))
        self.assertRaises(
            TooManyTriesError, self.logins.check, "a", "b", IPv6Address("TCP", "2001:db8::f", 1)
        )
        for number in range(9):
            self.ask("alice", f"other{number}", UNIXAddress(None))

    def test_successes_are_free(self) -> None:
        """Who logs in rightly again and again is not kept out."""
        self.renew(remember=0.5)
        for _ in range(10):
            answer = self.ask("alice", "sesame")
            self.threads.finish()
            self.assertTrue(self.successResultOf(answer))
            self.clock.advance(0.5)

    def test_the_same_by_many(self) -> None:
        """The same question by many is one check, and each address a line where it is wrong."""
        asked = [self.ask("alice", "wrong", peer(number)) for number in (1, 1, 2)]
        self.threads.finish()
        self.assertEqual([self.successResultOf(each) for each in asked], [False] * 3)
        self.assertEqual(self.threads.done, 1)
        self.assertEqual([line[-9:] for line in self.lines()], ["192.0.2.1", "192.0.2.2"])

    def test_who_leaves(self) -> None:
        """Who leaves before the check has begun frees its place; later, the failure is told."""
        asked = [self.ask("alice", f"wrong{number}", peer(number)) for number in range(5)]
        for each in asked:
            each.cancel()
            self.failureResultOf(each, CancelledError)
        self.assertNoResult(self.ask("alice", "sesame"))
        self.threads.finish()
        self.assertEqual(self.threads.done, 3)
        self.assertEqual(len(self.lines()), 2)

    def test_who_leaves_others_waiting(self) -> None:
        """A check goes on for those who still wait."""
        self.renew(at_once=1)
        first = self.ask("alice", "wrong")
        gone, stays = (self.ask("alice", "sesame") for _ in range(2))
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        self.threads.finish()
        self.assertEqual((self.successResultOf(first), self.successResultOf(stays)), (False, True))

    def test_a_check_that_breaks(self) -> None:
        """Where a check cannot be made (memory, threads) whoever waits is told, and it goes on."""
        asked = [self.ask("alice", "sesame") for _ in range(2)]
        self.threads.begun.pop()[1].errback(Failure(MemoryError()))
        for each in asked:
            self.failureResultOf(each, MemoryError)
        self.assertNoResult(self.ask("alice", "sesame"))
        self.assertEqual(len(self.threads.begun), 1)

    def test_remembered_are_bounded(self) -> None:
        """Of too many that are remembered the first is forgotten."""
        logins = Logins(
            Passwords({user: hashed("x", Cost(ln=9)) for user in "abc"}),
            self.threads.elsewhere,
            self.clock,
            recorded([]),
            self.limits,
        )
        for user in "abc":
            logins.check(user, "x", peer())
            self.threads.finish()
        self.assertIs(logins.check("b", "x", peer()), True)
        self.assertIs(logins.check("c", "x", peer()), True)
        self.assertIsInstance(logins.check("a", "x", peer()), Deferred)

    def test_endless_passwords(self) -> None:
        """A password that is too long is wrong, and is not hashed."""
        answer = self.ask("alice", "x" * 100_000)
        self.threads.finish()
        self.assertIs(self.successResultOf(answer), False)

    def test_names_in_the_log(self) -> None:
        """No name ends its quotes or its line, or fills the log."""
        self.assertEqual(shown_user('a" from 10.0.0.1\n\x1b\\'), r"a\x22 from 10.0.0.1\n\x1b\x5c")
        self.assertLess(len(shown_user("x" * 10_000)), 100)


class InThreads(TestCase):
    async def test_the_reactor_goes_on(self) -> None:
        """In the reactor's threads a check is made while the reactor does other things."""
        logins = Logins(PASSWORDS, in_threads(reactor), Clock(), recorded([]))
        self.assertIs(await self.asked(logins, "sesame"), True)
        self.assertIs(await self.asked(logins, "wrong"), False)

    def asked(self, logins: Logins, password: str) -> Deferred[bool]:
        """Ask."""
        answer = logins.check("alice", password, peer())
        assert isinstance(answer, Deferred)
        self.assertFalse(answer.called)
        return answer

    def test_without_threads(self) -> None:
        """What has no threads cannot be asked to work in them."""
        self.assertRaises(TypeError, in_threads, Clock())
