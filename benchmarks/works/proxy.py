"""Proxies: a file of 1 KiB that nginx has, fetched through a reverse and through a forward proxy."""

from benchmarks.figures import PER_SECOND
from benchmarks.load import Requests
from benchmarks.peers import HAPROXY_PROXY, NGINX_PROXY, NGINX_STATIC, SQUID
from benchmarks.work import Row, Work, against

WORKS = (
    Work(
        name="reverse proxy, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 0.85"),),
        peers=against(Requests("/1k"), NGINX_PROXY, HAPROXY_PROXY, origin=NGINX_STATIC),
    ),
    Work(
        name="forward proxy, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 2"),),
        peers=against(Requests("/1k", proxied=True), SQUID, origin=NGINX_STATIC),
    ),
)
