"""A page made by Python, as a handler of aiohttp on uvloop."""

import sys

import uvloop  # type: ignore[import-not-found]  # is in the peers' environment only
from aiohttp import web  # type: ignore[import-not-found]  # the same


async def hello(request: object) -> object:
    """Answer any request with hello."""
    del request
    return web.Response(text="hello")


if __name__ == "__main__":
    application = web.Application()
    application.router.add_get("/hello", hello)
    web.run_app(
        application,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
        print=None,
        loop=uvloop.new_event_loop(),
    )
