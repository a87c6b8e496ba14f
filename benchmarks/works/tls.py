"""TLS: what it adds to an echo, and to the memory of a connection that says nothing.

HAProxy and nginx pass on what they decrypt to the echo in C, which is on the load's core.
"""

from benchmarks.figures import BYTES_PER_SECOND, MEMORY, PER_SECOND
from benchmarks.load import Echo, Idle
from benchmarks.peers import (
    EPOLL_ECHO,
    HAPROXY_TLS,
    MEMORY_BIO_ECHO,
    NGINX_TLS,
    TWISTED_TLS_ECHO,
    netkit,
)
from benchmarks.work import Row, Side, Work, against

# The limit a source address has is raised, since all connections come from one.
NETKIT = netkit("""\
[tls.main]
certificates = "localhost.pem"
[limits]
connections_per_address = 10000
[service.echo]
listen = { endpoint = "tcp:$port:interface=127.0.0.1", tls = "main" }
""")
SMALL = Echo(connections=100, size=64, tls=True)
BULK = Echo(connections=10, size=64 * 1024, tls=True)
IDLE = Idle(tls=True)


def _peers(load: Echo) -> tuple[Side, ...]:
    return (
        *against(load, MEMORY_BIO_ECHO, TWISTED_TLS_ECHO),
        *against(load, HAPROXY_TLS, NGINX_TLS, origin=EPOLL_ECHO),
    )


WORKS = (
    Work(
        name="echo over TLS, 100 x 64 B",
        rows=(Row(PER_SECOND, goal=">= 1.5"),),
        netkit=Side(NETKIT, SMALL),
        peers=_peers(SMALL),
    ),
    Work(
        name="echo over TLS, 10 x 64 KiB",
        rows=(Row(BYTES_PER_SECOND, goal=">= 1.0"),),
        netkit=Side(NETKIT, BULK),
        peers=_peers(BULK),
    ),
    Work(
        name="an idle TLS connection",
        rows=(Row(MEMORY, goal="<= 48 kB"),),
        netkit=Side(NETKIT, IDLE),
        peers=against(IDLE, MEMORY_BIO_ECHO, TWISTED_TLS_ECHO),
    ),
)
