"""Who to be for a server: from the URL, from `--user`, from a netrc file, from whoever is asked.

Rule: a password that a user gave for one server is for that one; a netrc file that others may read is
left alone, and said to be.
"""

import os
import stat
from collections.abc import Callable, Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path

from attrs import frozen

from netkit.http.basicauth import Credentials
from netkit.tools.web.fetching import Login
from netkit.tools.web.urls import Url

NETRC_BYTES = 256 * 1024

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
            found = self._machines().authenticators(url.host)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, NetrcParseError) as error:
            self.tell(f"{self.path} is no use: {_why(error)}")
            return None
        if found is None or not found[2] or self.user not in {None, found[0]}:
            return None
        return Credentials(found[0], found[2])

    def _machines(self) -> netrc:
        status = self.path.stat()
        if stat.S_IMODE(status.st_mode) & 0o077 or status.st_uid not in {os.getuid(), 0}:
            raise PermissionError("others may read it; chmod 600 would be right")
        if not stat.S_ISREG(status.st_mode) or status.st_size > NETRC_BYTES:
            raise PermissionError(f"it is no file of at most {NETRC_BYTES} bytes")
        return netrc(str(self.path))


def _why(error: Exception) -> str:
    if isinstance(error, NetrcParseError):
        return f"line {error.lineno} cannot be understood"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return str(error.args[-1]).lower() if error.args else type(error).__name__


def netrc_path(environment: Mapping[str, str]) -> Path:
    """Return where the user's netrc file is, if there is one."""
    named = environment.get("NETRC")
    return Path(named) if named else Path.home() / ".netrc"


@frozen
class Asked:
    """Asks the user, three times at most."""

    ask: Ask
    user: str | None = None
    times: int = 3

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:
        """See `fetching.Login`."""
        return self.ask(url, realm, self.user) if refused < self.times else None
