"""Echo: what a byte costs from the kernel to a protocol and back."""

from benchmarks.figures import BYTES_PER_SECOND, PER_SECOND
from benchmarks.load import Echo
from benchmarks.peers import BARE_ECHO, EPOLL_ECHO, SOCAT_ECHO, TWISTED_ECHO, UVLOOP_ECHO, netkit
from benchmarks.work import Row, Side, Work, against

NETKIT = netkit("""\
[service.echo]
listen = "tcp:$port:interface=127.0.0.1"
""")
SMALL = Echo(connections=100, size=64)
BULK = Echo(connections=10, size=64 * 1024)

WORKS = (
    Work(
        name="echo, 100 x 64 B",
        rows=(Row(PER_SECOND, goal=">= 0.95"),),
        netkit=Side(NETKIT, SMALL),
        peers=against(SMALL, EPOLL_ECHO, UVLOOP_ECHO, TWISTED_ECHO, SOCAT_ECHO),
    ),
    Work(
        name="echo, 10 x 64 KiB",
        rows=(Row(BYTES_PER_SECOND, goal=">= 1.0"),),
        netkit=Side(NETKIT, BULK),
        peers=against(BULK, EPOLL_ECHO, UVLOOP_ECHO, TWISTED_ECHO),
    ),
    Work(
        name="what the gate costs",
        rows=(Row(PER_SECOND, goal=">= 0.95"),),
        netkit=Side(NETKIT, SMALL),
        peers=against(SMALL, BARE_ECHO),
    ),
)
