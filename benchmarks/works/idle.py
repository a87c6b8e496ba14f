"""Idle connections: the memory that a server keeps for each of those who say nothing (any more)."""

from benchmarks.content import HELLO, SMALL, Page
from benchmarks.figures import MEMORY
from benchmarks.load import Idle
from benchmarks.peers import EPOLL_ECHO, NATS, REDIS, TWISTED_ECHO, UVLOOP_ECHO, netkit
from benchmarks.webpeers import NGINX_STATIC, TWISTED_RESOURCE, UVICORN_HELLO
from benchmarks.work import Row, Side, Work, against
from benchmarks.works.site import STATIC

# All limits are on; the one a source address has is raised, since all connections come from one.
_LIMITS = """\
[limits]
connections_per_address = 10000
"""
NETKIT = netkit(f"""{_LIMITS}
[service.echo]
listen = "tcp:$port:interface=127.0.0.1"
""")
NETKIT_PUBSUB = netkit(f"""{_LIMITS}
[service.pubsub]
listen = [{{ endpoint = "tcp:$port:interface=127.0.0.1", protocol = "nats" }}]
""")


def _asked(page: Page) -> Idle:
    question = f"GET {page.path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    return Idle(question=question, answer=page.content)


SUBSCRIBED = Idle(
    question='CONNECT {"verbose":false}\r\nSUB bench 1\r\nPING\r\n', answer="PONG\r\n"
)
SUBSCRIBED_REDIS = Idle(question="SUBSCRIBE bench\r\n", answer="bench\r\n:1\r\n")

WORKS = (
    Work(
        name="an idle connection",
        rows=(Row(MEMORY, goal="<= 2 kB"),),
        netkit=Side(NETKIT, Idle()),
        peers=against(Idle(), EPOLL_ECHO, REDIS, UVLOOP_ECHO, TWISTED_ECHO, NATS),
    ),
    Work(
        name="an idle HTTP connection",
        rows=(Row(MEMORY, goal="<= 2 kB"),),
        netkit=Side(STATIC, _asked(SMALL)),
        peers=(
            Side(NGINX_STATIC, _asked(SMALL)),
            *against(_asked(HELLO), UVICORN_HELLO, TWISTED_RESOURCE),
        ),
    ),
    Work(
        name="an idle subscriber",
        rows=(Row(MEMORY, goal="<= 3 kB"),),
        netkit=Side(NETKIT_PUBSUB, SUBSCRIBED),
        peers=(Side(NATS, SUBSCRIBED), Side(REDIS, SUBSCRIBED_REDIS)),
    ),
)
