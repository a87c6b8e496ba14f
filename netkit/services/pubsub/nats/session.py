"""One client of a server, as the protocol sees it: what it said of itself, and what it wants.

What the client says goes to the broker, and what it hears comes from there, replies included, so
that all is in one order: whoever gets a PONG has got every message before it. Rule: pure, and a
client's mistake harms nobody but itself.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from itertools import islice, product, starmap
from typing import Any, NamedTuple, cast

from attrs import field, frozen

from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.greeting import Connect
from netkit.services.pubsub.nats.verbs import (
    BAD_SUBJECT,
    UNKNOWN,
    Event,
    Refusal,
    Signal,
    Subscribe,
    Unsubscribe,
)
from netkit.services.pubsub.nats.writing import Delivered
from netkit.services.pubsub.permissions import OWN, Permissions
from netkit.services.pubsub.subscriptions import Form, Subscription

AUTHORIZATION = Refusal(b"Authorization Violation")
AUTHENTICATION_TIMEOUT = Refusal(b"Authentication Timeout")
STALE = Refusal(b"Stale Connection")
SLOW = Refusal(b"Slow Consumer")
TOO_MANY_CLIENTS = Refusal(b"maximum connections exceeded")
TOO_MANY_SUBSCRIPTIONS = Refusal(b"maximum subscriptions exceeded", fatal=False)
NEEDS_HEADERS = Refusal(b"no responders requires headers support")
MISSED, _ = OWN
"""Before the subject of messages that were left out: who has subscribed is told how many."""

_ALL = Permissions()
_REMEMBERED = 1024
_NAME = 256  # characters of a client's own words that are kept


class State(Enum):
    """How far a client has come."""

    STRANGER = "has to say who it is"
    ASKING = "has said who it is, and that is looked into"
    ADMITTED = "may speak"
    OVER = "was refused"


class Manners(NamedTuple):
    """How a client wants to be spoken to; most want the same, and share it."""

    verbose: bool = True
    pedantic: bool = True
    echo: bool = True
    headers: bool = False
    no_responders: bool = False


class Introduction(NamedTuple):
    """What a client calls itself; of a long name the beginning."""

    name: str = ""
    lang: str = ""
    version: str = ""


UNKNOWN_CLIENT = Introduction()


@frozen(eq=False)
class Common:
    """What the clients of a service have in common.

    Each may have `most` subscriptions, as long as there is `room` for another. What most of them say
    alike, their names and their sids, is kept once.
    """

    most: int = 10_000
    room: Callable[[], bool] = lambda: True
    introduction: Callable[[str, str, str], Introduction] = field(
        factory=lambda: lru_cache(_REMEMBERED)(Introduction), init=False, repr=False
    )
    form: Callable[[bytes, bool], Delivered] = field(
        factory=lambda: lru_cache(_REMEMBERED)(Delivered), init=False, repr=False
    )


_KNOWN: Mapping[tuple[bool, ...], Manners] = {
    manners: manners for manners in starmap(Manners, product((False, True), repeat=5))
}
_UNKNOWN = Connect()


class Session:
    """What the client `to` has said to `broker`; `stranger` where it has to log in first.

    While it is ASKING, `login` is what it has said, and what it says waits for `admit`. It may have
    as many subscriptions as `common` says; one more is refused, and the others stay, as nats-server does
    it. When it is OVER, `why` has been said last.
    """

    __slots__ = (
        "_broker",
        "_common",
        "_held",
        "_manners",
        "_must_log_in",
        "_permissions",
        "_subscriptions",
        "_to",
        "introduction",
        "login",
        "state",
        "why",
    )

    def __init__(
        self,
        broker: Broker,
        to: Receiver,
        *,
        stranger: bool = False,
        permissions: Permissions = _ALL,
        common: Common | None = None,
    ) -> None:
        self.state = State.STRANGER if stranger else State.ADMITTED
        self.login = _UNKNOWN
        self.introduction = UNKNOWN_CLIENT
        self._manners = _KNOWN[Manners()]
        self.why: Refusal | None = None
        self._must_log_in = stranger
        self._broker = broker
        self._to = to
        self._common = common or Common()
        self._permissions = permissions
        self._subscriptions: dict[bytes, Subscription[Receiver]] = {}
        self._held: Sequence[Event] = ()

    def __len__(self) -> int:
        """Return the number of subscriptions."""
        return len(self._subscriptions)

    @property
    def wanted(self) -> Collection[Subscription[Receiver]]:
        """The subscriptions, in the order in which they were asked for."""
        return self._subscriptions.values()

    def hear(self, events: Sequence[Event]) -> None:
        """Do what the client says."""
        if self.state is State.ASKING:
            self._held = [*self._held, *events]
            return
        for index, event in enumerate(events, 1):
            self._do(event)
            if self.state is not State.ADMITTED:
                self._held = events[index:]
                return

    def admit(self, permissions: Permissions) -> None:
        """Let the client in, who may do what `permissions` say, and do what it has said meanwhile."""
        self.state = State.ADMITTED
        self.login = _UNKNOWN  # nobody's password is kept
        self._must_log_in = False
        self._permissions = permissions
        self._well()
        held, self._held = self._held, ()
        self.hear(held)

    def refuse(self, refusal: Refusal) -> None:
        """Tell the client what is wrong; after a refusal that is fatal the session is over.

        Of a stranger every one is.
        """
        self._say(writing.refusal(refusal))
        if refusal.fatal or self.state is State.STRANGER:
            self.state = State.OVER
            self.why = refusal

    def forget(self, subscription: Subscription[Receiver]) -> None:
        """Forget a subscription that has ended by itself."""
        form = subscription.form
        if isinstance(form, Delivered):
            self._subscriptions.pop(form.sid, None)

    def wants(self, most: int) -> list[bytes]:
        """Return the patterns of at most so many subscriptions."""
        return [each.pattern for each in islice(self._subscriptions.values(), most)]

    def tell_missed(self, missed: Mapping[bytes, int]) -> None:
        """Tell the client, if it has subscribed to that, what it went without for being slow."""
        for subject, messages in missed.items():
            run = Published(MISSED + b"." + subject if subject else MISSED, [b"%d" % messages])
            self._broker.answer(run, self._to)

    def end(self) -> None:
        """End all subscriptions."""
        self.state = State.OVER
        for subscription in self._subscriptions.values():
            self._broker.interest.remove(subscription)
        self._subscriptions.clear()
        self._held = ()

    def _do(self, event: Event) -> None:
        if self.state is State.STRANGER and type(event) is not Connect:
            self.refuse(event if type(event) is Refusal else AUTHORIZATION)
        else:
            _SAYS[type(event)](self, event)

    def _say(self, piece: bytes) -> None:
        self._broker.give(piece, self._to)

    def _well(self, times: int = 1) -> None:
        if self._manners.verbose:
            self._say(writing.OK * times)

    def _connect(self, greeting: Connect) -> None:
        self._manners = _KNOWN[
            greeting.verbose,
            greeting.pedantic,
            greeting.echo,
            greeting.headers,
            greeting.no_responders,
        ]
        self.introduction = self._common.introduction(
            greeting.name[:_NAME], greeting.lang[:_NAME], greeting.version[:_NAME]
        )
        if greeting.no_responders and not greeting.headers:
            self.refuse(NEEDS_HEADERS)
        elif self._must_log_in:
            self.state = State.ASKING
            self.login = greeting
        else:
            self._well()

    def _publish(self, run: Published) -> None:
        manners = self._manners
        if run.header_bytes >= 0 and not manners.headers:
            self.refuse(UNKNOWN)
            return
        if manners.verbose:
            self._well(len(run.payloads))
        if not self._permissions.publish.permit(run.subject):
            self._forbid(b'Publish to "%b"' % run.subject)
            return
        heard = self._broker.publish(run, None if manners.echo else self._to)
        if run.reply and not heard and manners.no_responders:
            self._broker.answer(writing.nobody(run), self._to)

    def _subscribe(self, wanted: Subscribe) -> None:
        if wanted.sid in self._subscriptions:
            self._well()
            return
        if len(self._subscriptions) >= self._common.most:
            self.refuse(TOO_MANY_SUBSCRIPTIONS)
            return
        rules = self._permissions.subscribe
        if not rules.permit(wanted.pattern):
            queue = b' using queue "%b"' % wanted.queue if wanted.queue else b""
            self._forbid(b'Subscription to "%b"%b' % (wanted.pattern, queue))
            return
        if not self._common.room():
            self.refuse(TOO_MANY_SUBSCRIPTIONS)
            return
        subscription: Subscription[Receiver] = Subscription(
            wanted.pattern,
            cast("Form", self._common.form(wanted.sid, self._manners.headers)),  # mypy sees a tuple
            self._to,
            wanted.queue,
            rules.bar(wanted.pattern),
        )
        self._subscriptions[wanted.sid] = subscription
        self._to.tally.last = self._broker.now
        self._broker.interest.insert(subscription)
        self._well()

    def _unsubscribe(self, unwanted: Unsubscribe) -> None:
        subscription = self._subscriptions.get(unwanted.sid)
        if subscription is not None and unwanted.most is not None:
            subscription.left = unwanted.most
            self._broker.interest.changed(subscription.pattern)
        elif subscription is not None:
            del self._subscriptions[unwanted.sid]
            self._broker.interest.remove(subscription)
        self._well()

    def _signal(self, signal: Signal) -> None:
        if signal is Signal.PING:
            self._say(writing.PONG)

    def _refused(self, refusal: Refusal) -> None:
        if refusal is not BAD_SUBJECT or self._manners.pedantic:
            self.refuse(refusal)

    def _forbid(self, what: bytes) -> None:
        self.refuse(Refusal(b"Permissions Violation for " + what, fatal=False))


_SAYS: Mapping[type, Callable[[Session, Any], None]] = {
    Published: Session._publish,  # noqa: SLF001 (the table of its verbs)
    Subscribe: Session._subscribe,  # noqa: SLF001
    Unsubscribe: Session._unsubscribe,  # noqa: SLF001
    Connect: Session._connect,  # noqa: SLF001
    Signal: Session._signal,  # noqa: SLF001
    Refusal: Session._refused,  # noqa: SLF001
}
