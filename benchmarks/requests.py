"""The load of HTTP: wrk, once a look at the server's answers has found them right.

wrk tells answers by their status alone, so that a server which sends too little would win.
"""

import ssl
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import ClassVar

from attrs import frozen

from benchmarks.content import Page
from benchmarks.figures import Counted
from benchmarks.load import Target, counted
from benchmarks.machine import LOAD
from benchmarks.processes import FailedError, output_of
from benchmarks.programs import Installed, Program

PATIENCE = 5.0  # seconds for an answer that is looked at
LOOKED_AT = 10  # of pages that are more, about so many


@frozen
class Requests:
    """Requests for `pages`, in turn, over `connections` kept alive.

    With `varied`, no two requests of a run are of the same bytes. `proxied` asks for what stands
    behind the server, as a proxy's client does.
    """

    program: ClassVar[Program] = Installed("wrk", "wrk")
    pages: tuple[Page, ...]
    connections: int = 64
    varied: bool = False
    proxied: bool = False
    tls: bool = False

    def run(self, target: Target) -> Counted:
        """Count requests, and the bytes of their answers; any other status than 2xx is an error."""
        targets = [self._target(page, target) for page in self.pages]
        with closing(_connection(target.place.port, tls=self.tls)) as connection:
            every = -(-len(targets) // LOOKED_AT)
            for page, asked in list(zip(self.pages, targets, strict=True))[::every]:
                look(connection, asked, page)
        command = (
            *self.program.command(target.machine),
            *("--threads", "1", "--connections", str(self.connections)),
            *("--duration", f"{max(1, round(target.seconds))}s"),
            *("--script", str(LOAD / "report.lua")),
            f"http{'s' * self.tls}://127.0.0.1:{target.place.port}/",
            *("--", "varied" if self.varied else "same", *targets),
        )
        found = counted(output_of(command, core=target.machine.load_core))
        return whole(found, min(len(page.content) for page in self.pages))

    def _target(self, page: Page, target: Target) -> str:
        if not self.proxied:
            return page.path
        return f"http://127.0.0.1:{target.place.origin}{page.path}"


def look(connection: HTTPConnection, target: str, page: Page) -> None:
    """Ask for `target`; raise FailedError where the answer is not `page` to its last byte."""
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        content = response.read()
    except (OSError, HTTPException) as error:
        raise FailedError(f"{page.path}: {error or type(error).__name__}") from None
    if response.status != HTTPStatus.OK:
        raise FailedError(f"{page.path}: {response.status} instead of 200")
    if content != page.content.encode():
        raise FailedError(
            f"{page.path}: not its own {len(page.content)} bytes but {len(content)} others"
        )


def _connection(port: int, *, tls: bool) -> HTTPConnection:
    if not tls:
        return HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False  # the certificate was made a moment ago, and by nobody
    settings.verify_mode = ssl.CERT_NONE
    return HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=settings)


def whole(found: Counted, shortest: int) -> Counted:
    """Return `found`; raise FailedError where its bytes are too few for answers of `shortest` each."""
    if not found.count:
        raise FailedError("no request was answered")
    if found.bytes < found.count * shortest:
        raise FailedError("answers were shorter than what was asked for")
    return found
