"""The web site: files from a folder, and pages that Python makes, over connections kept alive.

netkit serves files as its users have it do so, from a mount of the site; pages that Python makes come
from a server of its parts.
"""

from benchmarks.content import FILES, FOLDER, HELLO, LARGE, MANY, MIDDLE, SMALL
from benchmarks.figures import BYTES_PER_SECOND, PER_SECOND, Figure
from benchmarks.peers import netkit
from benchmarks.requests import Requests
from benchmarks.webpeers import (
    AIOHTTP_HELLO,
    NETKIT_HELLO,
    NETKIT_RESOURCE,
    NGINX_HELLO,
    NGINX_LOGGING,
    NGINX_LOGGING_LINES,
    NGINX_READING,
    NGINX_READING_LOGGING,
    NGINX_READING_TLS,
    NGINX_STATIC,
    NGINX_STATIC_TLS,
    TWISTED_RESOURCE,
    UVICORN_HELLO,
)
from benchmarks.work import Row, Server, Side, Work, against


def static(listen: str = '"tcp:$port:interface=127.0.0.1"', *, log: bool = False) -> Server:
    """Return netkit with a site that shows the files, and keeps an access log in a file if so said."""
    access_log = '{ file = "access.log" }' if log else "false"
    return netkit(
        f"""\
[tls.main]
certificates = "localhost.pem"
[limits]
connections_per_address = 10000
[service.site]
listen = {listen}
access_log = {access_log}
[[service.site.mount]]
path = "/"
kind = "static"
root = "{FOLDER}"
""",
        files=FILES,
    )


STATIC = static()
STATIC_TLS = static('{ endpoint = "tcp:$port:interface=127.0.0.1", tls = "main" }')
_HELLO = Requests((HELLO,))
_HELLO_VARIED = Requests((HELLO,), varied=True)
_SMALL = Requests((SMALL,))
_MIDDLE = Requests((MIDDLE,))
_LARGE = Requests((LARGE,))
_MANY = Requests(MANY, varied=True)
_SMALL_TLS = Requests((SMALL,), tls=True)
_LARGE_TLS = Requests((LARGE,), tls=True)


def _work(name: str, load: Requests, row: Row, server: Server, *peers: Server) -> Work:
    return Work(name=name, rows=(row,), netkit=Side(server, load), peers=against(load, *peers))


def _row(figure: Figure, goal: str) -> Row:
    return Row(figure, goal=goal, others={NGINX_READING.name: goal})


_PLAIN = (NGINX_STATIC, NGINX_READING)
_LOGGING = (NGINX_LOGGING, NGINX_READING_LOGGING, NGINX_LOGGING_LINES)
_TLS = (NGINX_STATIC_TLS, NGINX_READING_TLS)
_PYTHON = (UVICORN_HELLO, AIOHTTP_HELLO, NGINX_HELLO)

WORKS = (
    _work("static, 1 KiB", _SMALL, _row(PER_SECOND, ">= 1.1"), STATIC, *_PLAIN),
    _work("static, 1000 files", _MANY, _row(PER_SECOND, ">= 1.1"), STATIC, *_PLAIN),
    _work("static, access log", _SMALL, _row(PER_SECOND, ">= 1.1"), static(log=True), *_LOGGING),
    _work("static, 64 KiB", _MIDDLE, _row(BYTES_PER_SECOND, ">= 1.1"), STATIC, *_PLAIN),
    _work("static, 1 MiB", _LARGE, _row(BYTES_PER_SECOND, ">= 1.5"), STATIC, *_PLAIN),
    _work("TLS, 1 KiB", _SMALL_TLS, _row(PER_SECOND, ">= 0.7"), STATIC_TLS, *_TLS),
    _work("TLS, 1 MiB", _LARGE_TLS, _row(BYTES_PER_SECOND, ">= 1.0"), STATIC_TLS, *_TLS),
    _work("a page by Python", _HELLO, Row(PER_SECOND, goal=">= 2.5"), NETKIT_HELLO, *_PYTHON),
    _work(
        "the same, varied", _HELLO_VARIED, Row(PER_SECOND, goal=">= 2.5"), NETKIT_HELLO, *_PYTHON
    ),
    Work(
        name="a Twisted resource",
        rows=(Row(PER_SECOND, goal=">= 1.5"),),
        netkit=Side(NETKIT_RESOURCE, _HELLO),
        peers=against(_HELLO, TWISTED_RESOURCE),
    ),
)
