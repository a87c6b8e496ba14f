"""Pub/sub: messages of 64 bytes from one publisher to many subscribers, counted as delivered."""

from attrs import evolve

from benchmarks.figures import PER_SECOND
from benchmarks.load import Fanout
from benchmarks.peers import NATS, REDIS
from benchmarks.work import Row, Side, Work

_NATS = Fanout("nats", subscribers=100, window=16384)
_REDIS = Fanout("redis", subscribers=100, window=16384)


def _sides(subscribers: int, window: int) -> tuple[Side, Side]:
    return (
        Side(NATS, evolve(_NATS, subscribers=subscribers, window=window)),
        Side(REDIS, evolve(_REDIS, subscribers=subscribers, window=window)),
    )


def _work(name: str, goal: str, *peers: Side) -> Work:
    return Work(name=name, rows=(Row(PER_SECOND, goal=goal),), peers=peers)


# The windows are those in which NATS and Redis are at their best. Lines are netkit's protocol alone.
_HUNDRED = _sides(100, 16384)
_THOUSAND = _sides(1000, 4096)
_ONE = _sides(1, 4096)
_NATS_ONE_BY_ONE, _REDIS_ONE_BY_ONE = _sides(100, 1)
_DISTINCT = Side(NATS, evolve(_NATS, distinct=True))
_STALLED = Side(NATS, evolve(_NATS, subscribers=99, stalled=1))
_ALL_READING = Side(evolve(NATS, name="NATS, all read"), evolve(_NATS, subscribers=99))

WORKS = (
    _work("pub/sub 1 -> 100, lines", ">= 4", *_HUNDRED),
    _work("pub/sub 1 -> 100, NATS", ">= 3", *_HUNDRED),
    _work("the same, distinct sids", "", _DISTINCT),
    _work("pub/sub 1 -> 1000, lines", ">= 4", *_THOUSAND),
    _work("pub/sub 1 -> 1000, NATS", ">= 3", *_THOUSAND),
    _work("pub/sub 1 -> 1", ">= 0.5", *_ONE),
    _work("1 -> 100, one by one", ">= 1.0", _REDIS_ONE_BY_ONE, _NATS_ONE_BY_ONE),
    _work("1 -> 99 and a stalled one", "", _STALLED, _ALL_READING),
)
