"""Names and passwords of peers checked without holding anybody up, for whichever protocol asks.

A check is slow on purpose (`netkit.passwords`), so it is done in threads. Rule: what strangers can
make us do is bounded: checks at a time, checks that wait, checks for one address in a second; and
who has logged in pays for it once in a while only.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b
from secrets import token_bytes
from typing import TypeAlias

from attrs import Factory, define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorThreads, IReactorTime
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger
from twisted.python.failure import Failure

from netkit.document.values import printable
from netkit.net.allowance import Allowance
from netkit.net.limits import source
from netkit.net.peer import host
from netkit.passwords import LONGEST_PASSWORD, Passwords

Elsewhere: TypeAlias = Callable[[Callable[[], bool]], Deferred[bool]]

_USER_CHARACTERS = 80  # of a name that stands in the log


class BusyError(Exception):
    """As many checks wait as may; the answer is to come back later."""


class TooManyTriesError(Exception):
    """This address has tried too many passwords; the answer is to come back later."""


@frozen
class LoginLimits:
    """What checking passwords may cost.

    `at_once` checks are under way, `waiting` wait for that. One address has `tries` checks at once,
    and then `tries_per_second`; those that succeed do not count. `remembered` logins need no check
    for `remember` seconds. `addresses` are remembered for their tries.
    """

    at_once: int = 2
    waiting: int = 64
    tries: float = 10
    tries_per_second: float = 0.5
    remembered: int = 1000
    remember: float = 300.0
    addresses: int = 10_000


def in_threads(reactor: object) -> Elsewhere:
    """Return what does work in the threads of `reactor`, which must have some (IReactorThreads)."""
    threads = IReactorThreads(reactor)
    return lambda work: deferToThreadPool(threads, threads.getThreadPool(), work)


@define(eq=False)
class _Try:
    """A check that waits or is under way, and who waits for it."""

    user: str
    password: str = field(repr=False)
    peer: IAddress
    waiting: dict[Deferred[bool], IAddress] = Factory(dict)

    def failed_for(self) -> Iterator[str]:
        """Yield the addresses that tried it, each once."""
        yield from dict.fromkeys(map(host, (self.peer, *self.waiting.values())))


class Logins:
    """Checks the passwords of `passwords`, whose work is done `elsewhere`.

    Each wrong one is a line in the log: auth failed for "user" from 192.0.2.1
    """

    def __init__(
        self,
        passwords: Passwords,
        elsewhere: Elsewhere,
        clock: IReactorTime,
        log: Logger,
        limits: LoginLimits = LoginLimits(),
    ) -> None:
        self._passwords = passwords
        self._elsewhere = elsewhere
        self._clock = clock
        self._log = log
        self._limits = limits
        self._allowance = Allowance(limits.tries, limits.tries_per_second, limits.addresses)
        self._secret = token_bytes(32)
        self._remembered: dict[bytes, float] = {}
        self._tries: dict[bytes, _Try] = {}
        self._queue: dict[bytes, _Try] = {}
        self._under_way = 0

    def check(self, user: str, password: str, peer: IAddress) -> bool | Deferred[bool]:
        """Return whether `password` is that of `user`; at once where it was so a moment ago.

        The Deferred can be cancelled. Raise TooManyTriesError or BusyError instead of more work than
        the limits allow. The same question by many is one check.
        """
        key = self._key(user, password)
        if self._remembered.get(key, 0.0) > self._clock.seconds():
            return True
        tried = self._tries.get(key) or self._begin(key, _Try(user, password, peer))
        answer: Deferred[bool] = Deferred(lambda left: self._leave(key, tried, left))
        tried.waiting[answer] = peer
        self._go_on()
        return answer

    def _key(self, user: str, password: str) -> bytes:
        """Return what is remembered of a login, from which neither half can be found again."""
        digest = blake2b(key=self._secret, digest_size=32)
        for part in (user, password):
            data = part.encode(errors="surrogatepass")
            digest.update(b"%d:" % len(data) + data)
        return digest.digest()

    def _begin(self, key: bytes, tried: _Try) -> _Try:
        if len(self._queue) >= self._limits.waiting:
            raise BusyError
        who = source(tried.peer)
        if who and not self._allowance.take(who, self._clock.seconds()):
            raise TooManyTriesError
        self._tries[key] = self._queue[key] = tried
        return tried

    def _leave(self, key: bytes, tried: _Try, left: Deferred[bool]) -> None:
        """Forget one who waits no longer, and the check itself if it has not begun."""
        tried.waiting.pop(left, None)
        if not tried.waiting and self._queue.get(key) is tried:
            del self._queue[key], self._tries[key]

    def _go_on(self) -> None:
        while self._queue and self._under_way < self._limits.at_once:
            key = next(iter(self._queue))
            self._work(key, self._queue.pop(key))

    def _work(self, key: bytes, tried: _Try) -> None:
        self._under_way += 1
        done = self._elsewhere(lambda: self._verify(tried))
        done.addBoth(self._done, key, tried)

    def _verify(self, tried: _Try) -> bool:
        """Return whether the password is right; runs in a thread."""
        if len(tried.password) > LONGEST_PASSWORD:
            return False
        return self._passwords.verify(tried.user, tried.password)

    def _done(self, right: bool | Failure, key: bytes, tried: _Try) -> None:  # noqa: FBT001 (Twisted calls it so)
        self._under_way -= 1
        del self._tries[key]
        if right is True:
            self._remember(key, tried)
        elif right is False:
            self._tell(tried)
        waiting, tried.waiting = tried.waiting, {}
        for answer in waiting:
            answer.callback(right)
        self._go_on()

    def _remember(self, key: bytes, tried: _Try) -> None:
        now = self._clock.seconds()
        self._allowance.give_back(source(tried.peer), now)
        self._remembered.pop(key, None)
        self._remembered[key] = now + self._limits.remember
        if len(self._remembered) > self._limits.remembered:
            del self._remembered[next(iter(self._remembered))]

    def _tell(self, tried: _Try) -> None:
        for address in tried.failed_for():
            self._log.warn(
                'auth failed for "{user}" from {address}',
                user=shown_user(tried.user),
                address=address,
            )


def shown_user(user: str) -> str:
    """Return a name as it stands in quotes in a log; no name ends the quotes, or the line."""
    cut = user if len(user) <= _USER_CHARACTERS else user[:_USER_CHARACTERS] + "..."
    return printable(cut.replace("\\", "\\x5c").replace('"', "\\x22"))
