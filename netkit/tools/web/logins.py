"""Who to be for a server: from the URL, from `--user`, from a netrc file, from whoever is asked.

Rule: a password that a user gave for one server is for that one.
"""

from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from netkit.http.basicauth import Credentials
from netkit.tools.netrc import find
from netkit.tools.web.fetching import Login
from netkit.tools.web.urls import Url

Ask = Callable[[Url, str, str | None], Credentials | None]
"""Asks the user for a login to the server of a URL and a realm, as the user named if one is."""


@frozen
class First:
    """Asks each of `logins` until one knows."""

    logins: tuple[Login, ...]

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:
        """See `fetching.Login`."""
        for login in self.logins:
            found = login(url, realm, refused)
            if found is not None:
                return found
        return None


@frozen
class Only:
    """Knows what `login` knows, of one server."""

    origin: tuple[str, str, int]
    login: Login

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:
        """See `fetching.Login`."""
        return self.login(url, realm, refused) if url.origin == self.origin else None


@frozen
class Given:
    """Knows one login, and no other where that was refused."""

    credentials: Credentials

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:  # noqa: ARG002
        """See `fetching.Login`."""
        return None if refused else self.credentials


@frozen
class Netrc:
    """Knows what the netrc file at `path` says, which may be missing; `tell` is told why it is no use."""

    path: Path
    tell: Callable[[str], None]
    user: str | None = None

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:  # noqa: ARG002
        """See `fetching.Login`."""
        if refused:
            return None
        try:
            return find(self.path, url.host, self.user or "")
        except (OSError, ValueError) as error:
            self.tell(str(error))
            return None


@frozen
class Asked:
    """Asks the user, three times at most."""

    ask: Ask
    user: str | None = None
    times: int = 3

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:
        """See `fetching.Login`."""
        return self.ask(url, realm, self.user) if refused < self.times else None
