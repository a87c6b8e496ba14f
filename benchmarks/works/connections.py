"""Connections: connect, ask, answer, close, each a connection of its own."""

from benchmarks.figures import PER_SECOND
from benchmarks.load import Connections
from benchmarks.peers import netkit
from benchmarks.webpeers import NGINX_CLOSING
from benchmarks.work import Row, Side, Work

AT_ONCE = 200
# Neither side writes a line for each visit: nginx's access log is off.
FINGER = netkit(
    """\
[log]
level = "warn"
[service.finger]
listen = "tcp:$port:interface=127.0.0.1"
users = "users.toml"
""",
    files={
        "users.toml": """\
[moshez]
name = "Moshe Z."
plan = "Happy and well"
""",
    },
)

WORKS = (
    Work(
        name=f"connections, {AT_ONCE} at a time",
        rows=(Row(PER_SECOND, goal=">= 1.0"),),
        netkit=Side(FINGER, Connections(AT_ONCE, question="moshez\r\n", answer="Happy and well")),
        peers=(Side(NGINX_CLOSING, Connections(AT_ONCE, "GET / HTTP/1.0\r\n\r\n", "200 OK")),),
    ),
)
