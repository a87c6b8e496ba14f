"""Idle connections: the memory that a server keeps for each of those who say nothing."""

from benchmarks.figures import MEMORY
from benchmarks.load import Idle
from benchmarks.peers import EPOLL_ECHO, NATS, REDIS, TWISTED_ECHO, UVLOOP_ECHO, netkit
from benchmarks.work import Row, Side, Work, against

# All limits are on; the one a source address has is raised, since all connections come from one.
NETKIT = netkit("""\
[limits]
connections_per_address = 10000
[service.echo]
listen = "tcp:$port:interface=127.0.0.1"
""")

WORKS = (
    Work(
        name="an idle connection",
        rows=(Row(MEMORY, goal="<= 2 kB"),),
        netkit=Side(NETKIT, Idle()),
        peers=against(Idle(), EPOLL_ECHO, REDIS, UVLOOP_ECHO, TWISTED_ECHO, NATS),
    ),
)
