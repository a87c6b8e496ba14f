"""One exchange, and its line in the daemon's own log.

Rule: nothing secret and nothing that a terminal acts on. Header fields other than Referer and
User-Agent never stand in it; queries, fragments and user information are cut off. Lines of a file of
their own are those of `netkit.http.accesslines`.
"""

import re
from collections.abc import Callable

from twisted.logger import Logger

from netkit.document.values import printable
from netkit.http.messages import Request
from netkit.net.peer import host
from netkit.values import frozen

SHOWN_CHARACTERS = 500

_USER_INFORMATION = re.compile(r"^([^/?#]*//)[^/?#]*@")
_LINE = (
    '{peer} "{method} {target} {version}" {status} {sent} "{referrer}" "{agent}" {seconds:.3f}{cut}'
)


@frozen
class Exchange:
    """A request and how it went.

    `sent` counts bytes of the body, `seconds` run from the whole request to the whole answer;
    `whole` is False where the answer could not be sent to its end. `received` counts bytes of the
    request's body, and is None where nobody has counted.
    """

    request: Request
    status: int
    sent: int
    seconds: float
    whole: bool
    received: int | None = None


def access_log(log: Logger) -> Callable[[Exchange], None]:
    """Return what writes a line at `info` for each exchange."""

    def write(exchange: Exchange) -> None:
        request = exchange.request
        log.info(
            _LINE,
            peer=host(request.client.peer),
            method=_shown(request.method),
            target=shown_url(request.target),
            version=_shown(request.head.version),
            status=exchange.status,
            sent=exchange.sent,
            referrer=shown_url(request.header(b"referer") or b"-"),
            agent=_shown(request.header(b"user-agent") or b"-"),
            seconds=exchange.seconds,
            cut="" if exchange.whole else " cut",
        )

    return write


def shown_url(url: bytes) -> str:
    """Return `url` without user information, query and fragment, fit for a log."""
    return _cut(bare_url(url.decode("latin-1")))


def bare_url(url: str) -> str:
    """Return `url` without user information, query and fragment, as it came."""
    bare = url.partition("#")[0].partition("?")[0]
    return _USER_INFORMATION.sub(r"\1", bare) if "@" in bare else bare


def _shown(value: bytes) -> str:
    return _cut(value.decode("latin-1"))


def _cut(value: str) -> str:
    shown = value if len(value) <= SHOWN_CHARACTERS else value[:SHOWN_CHARACTERS] + "..."
    return printable(shown.replace("\\", "\\\\").replace('"', '\\"'))
