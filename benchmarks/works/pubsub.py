"""Pub/sub: messages of 64 bytes from one publisher to many subscribers, counted as delivered."""

from benchmarks.figures import PER_SECOND
from benchmarks.load import Fanout
from benchmarks.peers import NATS, REDIS
from benchmarks.work import Row, Side, Work


def _work(name: str, goal: str, subscribers: int, window: int) -> Work:
    return Work(
        name=name,
        rows=(Row(PER_SECOND, goal=goal),),
        peers=(
            Side(NATS, Fanout("nats", subscribers, window)),
            Side(REDIS, Fanout("redis", subscribers, window)),
        ),
    )


# The windows are those in which NATS and Redis are at their best.
WORKS = (
    _work("pub/sub 1 -> 100", ">= 4", subscribers=100, window=16384),
    _work("pub/sub 1 -> 1000", ">= 4", subscribers=1000, window=4096),
    _work("pub/sub 1 -> 1", ">= 0.5", subscribers=1, window=4096),
    _work("pub/sub 1 -> 100, one by one", "", subscribers=100, window=1),
)
