"""The web site: files from a folder, and a page that Python makes, over connections kept alive."""

from benchmarks.figures import BYTES_PER_SECOND, PER_SECOND
from benchmarks.load import Requests
from benchmarks.peers import AIOHTTP_HELLO, NGINX_HELLO, NGINX_STATIC, UVICORN_HELLO
from benchmarks.work import Row, Work, against

WORKS = (
    Work(
        name="static, 1 KiB",
        rows=(Row(PER_SECOND, goal=">= 1.1"),),
        peers=against(Requests("/1k"), NGINX_STATIC),
    ),
    Work(
        name="static, 64 KiB",
        rows=(Row(BYTES_PER_SECOND, goal=">= 1.1"),),
        peers=against(Requests("/64k"), NGINX_STATIC),
    ),
    Work(
        name="static, 1 MiB",
        rows=(Row(BYTES_PER_SECOND, goal=">= 1.5"),),
        peers=against(Requests("/1m"), NGINX_STATIC),
    ),
    Work(
        name="a page made by Python",
        rows=(Row(PER_SECOND, goal=">= 2.5"),),
        peers=against(Requests("/"), UVICORN_HELLO, AIOHTTP_HELLO, NGINX_HELLO),
    ),
)
