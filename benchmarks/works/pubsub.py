"""Pub/sub: messages of 64 bytes from one publisher to many subscribers, counted as delivered."""

from attrs import evolve

from benchmarks.figures import PER_SECOND
from benchmarks.load import Fanout
from benchmarks.peers import NATS, REDIS, netkit
from benchmarks.work import Row, Side, Work

_CONFIG = """\
[limits]
connections_per_address = 5000
[service.pubsub]
listen = [{ endpoint = "tcp:$port:interface=127.0.0.1", protocol = "%s" }]
"""
_NETKIT = netkit(_CONFIG % "nats")
_NETKIT_LINES = netkit(_CONFIG % "line")

_NATS = Fanout("nats", subscribers=100, window=16384)
_LINES = Fanout("line", subscribers=100, window=16384)
_REDIS = Fanout("redis", subscribers=100, window=16384)


def _sides(subscribers: int, window: int) -> tuple[Side, Side]:
    return (
        Side(NATS, evolve(_NATS, subscribers=subscribers, window=window)),
        Side(REDIS, evolve(_REDIS, subscribers=subscribers, window=window)),
    )


def _work(name: str, goal: str, load: Fanout, *peers: Side) -> Work:
    server = _NETKIT if load.protocol == "nats" else _NETKIT_LINES
    rows = (Row(PER_SECOND, goal=goal),)
    return Work(name=name, rows=rows, netkit=Side(server, load), peers=peers)


# The windows are those in which NATS and Redis are at their best. Lines are netkit's protocol alone.
_HUNDRED = _sides(100, 16384)
_THOUSAND = _sides(1000, 4096)
_ONE = _sides(1, 4096)
_NATS_ONE_BY_ONE, _REDIS_ONE_BY_ONE = _sides(100, 1)
_DISTINCT = evolve(_NATS, distinct=True)
_STALLED = evolve(_NATS, subscribers=99, stalled=1)
_ALL_READING = Side(evolve(_NETKIT, name="without it"), evolve(_NATS, subscribers=99))

WORKS = (
    _work("pub/sub 1 -> 100, lines", ">= 4", _LINES, *_HUNDRED),
    _work("pub/sub 1 -> 100, NATS", ">= 3", _NATS, *_HUNDRED),
    _work("the same, distinct sids", "", _DISTINCT, Side(NATS, _DISTINCT)),
    _work(
        "pub/sub 1 -> 1000, lines",
        ">= 4",
        evolve(_LINES, subscribers=1000, window=4096),
        *_THOUSAND,
    ),
    _work(
        "pub/sub 1 -> 1000, NATS", ">= 3", evolve(_NATS, subscribers=1000, window=4096), *_THOUSAND
    ),
    _work("pub/sub 1 -> 1", ">= 0.5", evolve(_NATS, subscribers=1, window=4096), *_ONE),
    _work(
        "1 -> 100, one by one",
        ">= 1.0",
        evolve(_NATS, window=1),
        _REDIS_ONE_BY_ONE,
        _NATS_ONE_BY_ONE,
    ),
    _work("1 -> 99 and a stalled one", ">= 0.9", _STALLED, _ALL_READING, Side(NATS, _STALLED)),
)
