"""The user agent."""

from netkit.tools.running import Here
from netkit.tools.web.fetching import DEFAULTS, Got, Terms, Wanted


class UserAgent:
    """Fetches what is wanted, on `terms`. See `fetching.Agent`."""

    def __init__(self, here: Here, terms: Terms = DEFAULTS) -> None:
        self._here = here
        self._terms = terms

    async def fetch(self, wanted: Wanted) -> Got:
        """See Agent."""
        raise NotImplementedError

    def close(self) -> None:
        """See Agent."""
