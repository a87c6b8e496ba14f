"""The user agent: what outlasts one request, as connections, cookies and logins."""

from typing import Any

from attrs import evolve

from netkit.http.clientlimits import ClientLimits
from netkit.http.pool import Pool
from netkit.tools.running import Here
from netkit.tools.web.fetching import DEFAULTS, Got, Terms, Wanted
from netkit.tools.web.journey import Journey, Traveller
from netkit.tools.web.surroundings import Surroundings
from netkit.tools.web.ways import Ways

NAME = b"netkit"
"""What the agent calls itself (RFC 9110 10.1.5)."""

HEADER_BYTES = 256 * 1024
"""What an answer's header section may have, which is more than any server sends."""

_DAY = 24 * 3600.0


class UserAgent:
    """Fetches what is wanted, on `terms`. See `fetching.Agent`."""

    def __init__(
        self, here: Here, terms: Terms = DEFAULTS, around: Surroundings | None = None
    ) -> None:
        limits = ClientLimits(
            header_timeout=here.timeout,
            read_timeout=here.timeout,
            write_timeout=here.timeout,
            waiting_timeout=_DAY,
            header_bytes=HEADER_BYTES,
        )
        clock: Any = here.reactor
        self._pool = Pool(limits, clock)
        tls = evolve(terms.tls, handshake_timeout=here.timeout)
        ways = Ways(here.connector, self._pool, tls)
        self._traveller = Traveller(terms, around or Surroundings(), clock, ways, NAME)

    async def fetch(self, wanted: Wanted) -> Got:
        """See Agent."""
        return await Journey(self._traveller, wanted).go()

    def close(self) -> None:
        """See Agent."""
        self._pool.abort()
