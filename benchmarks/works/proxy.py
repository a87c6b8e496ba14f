"""Proxies: files that nginx has, fetched through a reverse and through a forward proxy.

One has 1 KiB; the other has a GiB, and who asks for that stops reading as it begins. What is uploaded
has two.
"""

from attrs import evolve

from benchmarks.content import FOLDER, SMALL
from benchmarks.figures import BYTES_PER_SECOND, MEMORY, PER_SECOND
from benchmarks.load import Idle
from benchmarks.peers import HAPROXY_PROXY, SQUID, netkit
from benchmarks.requests import Requests
from benchmarks.upload import Upload
from benchmarks.webpeers import (
    NGINX_PROXY,
    NGINX_READING,
    NGINX_STATIC,
    SWALLOW,
    TWISTED_FORWARD,
    TWISTED_REVERSE,
)
from benchmarks.work import Row, Side, Work, against

REVERSE = Requests((SMALL,))
FORWARD = Requests((SMALL,), proxied=True)
ORIGIN = NGINX_READING
ORIGIN_OF_MUCH = evolve(NGINX_STATIC, zeros={f"{FOLDER}/1g": 1 << 30})


def _stalled(target: str) -> Idle:
    question = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:$origin\r\n\r\n"
    return Idle(few=10, many=60, question=question, answer="200 OK")


UPLOAD = Upload(2 << 30)
STALLED = _stalled("/1g")
STALLED_FORWARD = _stalled("http://127.0.0.1:$origin/1g")

REVERSING = netkit("""\
[limits]
connections_per_address = 10000
[service.site]
listen = "tcp:$port:interface=127.0.0.1"
access_log = false
[service.site.http]
body_bytes = 4294967296
[[service.site.mount]]
path = "/"
kind = "upstream"
servers = ["tcp:127.0.0.1:$origin"]
""")
FORWARDING = netkit("""\
[log]
level = "warn"
[limits]
connections_per_address = 10000
[service.proxy]
listen = "tcp:$port:interface=127.0.0.1"
connect_ports = ["1-65535"]
[[service.proxy.destination]]
networks = "127.0.0.0/8"
action = "allow"
""")

WORKS = (
    Work(
        name="reverse proxy, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 0.85", others={TWISTED_REVERSE.name: ">= 15"}),),
        netkit=Side(REVERSING, REVERSE, ORIGIN),
        peers=against(REVERSE, NGINX_PROXY, HAPROXY_PROXY, TWISTED_REVERSE, origin=ORIGIN),
    ),
    Work(
        name="forward proxy, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 2"),),
        netkit=Side(FORWARDING, FORWARD, ORIGIN),
        peers=against(FORWARD, SQUID, TWISTED_FORWARD, origin=ORIGIN),
    ),
    Work(
        name="who stops reading a GiB",
        rows=(Row(MEMORY, goal="<= 512 kB"),),
        netkit=Side(REVERSING, STALLED, ORIGIN_OF_MUCH),
        peers=(
            *against(STALLED, NGINX_PROXY, HAPROXY_PROXY, origin=ORIGIN_OF_MUCH),
            Side(SQUID, STALLED_FORWARD, ORIGIN_OF_MUCH),
        ),
    ),
    Work(
        name="an upload of 2 GiB",
        rows=(Row(MEMORY, goal="<= 1 MB"), Row(BYTES_PER_SECOND, name="its speed")),
        netkit=Side(REVERSING, UPLOAD, SWALLOW),
        peers=against(UPLOAD, NGINX_PROXY, HAPROXY_PROXY, origin=SWALLOW),
    ),
)
