"""The logins that an agent has in use.

Rule: a login is proved to the origin that it was meant for and to no other (RFC 9110 11.5).
"""

from collections import Counter
from typing import TypeAlias

from attrs import frozen

from netkit.http.basicauth import Credentials
from netkit.http.messages import ResponseHead
from netkit.tools.web.authentication import Proof, Random, is_stale, proof, strongest
from netkit.tools.web.challenges import challenges
from netkit.tools.web.fetching import FetchError, Login
from netkit.tools.web.urls import Url

Origin: TypeAlias = tuple[str, str, int]
Refused: TypeAlias = Counter[tuple[Origin, str]]
"""How many logins were refused, by the server and the realm."""


@frozen
class _Session:
    """A login that is in use."""

    realm: str
    credentials: Credentials
    proof: Proof


class Sessions:
    """The logins of one agent, one for an origin."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._in_use: dict[Origin, _Session] = {}

    def authorization(self, url: Url, method: bytes) -> bytes:
        """Return the value of Authorization for a request; empty where no login is known."""
        session = self._in_use.get(url.origin)
        if session is None:
            return b""
        return session.proof.authorization(method, url.target.encode("ascii"))

    def renew(self, url: Url, head: ResponseHead, login: Login, refused: Refused) -> bool:
        """Hear a 401 from `url`; return whether there is another login to try.

        `refused` is counted on, and told to `login`. Raise FetchError for a login that cannot be proved.
        """
        used = self._in_use.pop(url.origin, None)
        challenge = strongest(challenges(head.headers))
        if challenge is None:
            return False
        was_for_this = used is not None and used.realm == challenge.realm
        if used is not None and was_for_this and is_stale(challenge):
            credentials: Credentials | None = used.credentials
        else:
            key = (url.origin, challenge.realm)
            refused[key] += was_for_this
            credentials = login(url, challenge.realm, refused[key])
        if credentials is None:
            return False
        try:
            proved = proof(challenge, credentials, self._random)
        except ValueError as error:
            raise FetchError(f"{url}: {error}") from None
        self._in_use[url.origin] = _Session(challenge.realm, credentials, proved)
        return True
