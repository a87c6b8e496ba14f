"""Proxies: a file of 1 KiB that nginx has, fetched through a reverse and through a forward proxy."""

from benchmarks.content import SMALL
from benchmarks.figures import PER_SECOND
from benchmarks.peers import HAPROXY_PROXY, SQUID
from benchmarks.requests import Requests
from benchmarks.webpeers import NGINX_PROXY, NGINX_READING, TWISTED_FORWARD, TWISTED_REVERSE
from benchmarks.work import Row, Work, against

REVERSE = Requests((SMALL,))
FORWARD = Requests((SMALL,), proxied=True)
ORIGIN = NGINX_READING

WORKS = (
    Work(
        name="reverse proxy, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 0.85", others={TWISTED_REVERSE.name: ">= 15"}),),
        peers=against(REVERSE, NGINX_PROXY, HAPROXY_PROXY, TWISTED_REVERSE, origin=ORIGIN),
    ),
    Work(
        name="forward proxy, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 2"),),
        peers=against(FORWARD, SQUID, TWISTED_FORWARD, origin=ORIGIN),
    ),
)
