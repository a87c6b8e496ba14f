"""The key `access_log` of a service that speaks HTTP: what it may hold, and what comes of it.

`true` is a line a request in the daemon's own log, `false` none, a table a file of its own.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from time import time

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netkit.document.lines import KeyPath
from netkit.document.values import Network, quoted
from netkit.http.accesslines import Contents, Form, lines
from netkit.http.accesslog import Exchange, access_log
from netkit.http.forwarded import READERS, ClientField, client
from netkit.http.logfile import LogFile
from netkit.http.messages import Request
from netkit.net.addresses import plain
from netkit.net.peer import LOCAL, host

KNOWN_CLIENTS = 256
"""So many clients behind proxies are remembered, those"""

KNOWN_BYTES = 256
"""whose field is not longer than that."""


@frozen(kw_only=True)
class AccessFile:
    """The table.

    `file`: the path of the file, or of a pipe.
    `format`: how a line is written.
    `query`: the query stands in it, with `-` for values whose keys look secret.
    `trusted_proxies`: whose `client_field` is believed to name the client; nobody's.
    """

    file: Path
    format: Form = Form.COMBINED
    query: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    client_field: ClientField = ClientField.X_FORWARDED_FOR


class AccessLog:
    """What a service tells of its exchanges, by calling `served`; it can be called at any time.

    `served` is None where nobody wants to know.
    """

    def __init__(
        self, served: Callable[[Exchange], None] | None = None, file: LogFile | None = None
    ) -> None:
        self.served = served
        self._file = file

    def start(self) -> None:
        """Open the file, where there is one."""
        if self._file is not None:
            self._file.start()

    def stop(self) -> None:
        """Write what is still to be written, and close the file."""
        if self._file is not None:
            self._file.stop()

    def reopen(self) -> None:
        """Open the file anew: who has moved the old one wants to be sure that it is let go of."""
        if self._file is not None:
            self._file.reopen()


def built(
    setting: bool | AccessFile,  # noqa: FBT001 (the value of a key)
    clock: IReactorTime,
    log: Logger,
    wall: Callable[[], float] = time,
) -> AccessLog:
    """Return the access log that `setting` asks for; `log` is the daemon's own."""
    if not isinstance(setting, AccessFile):
        return AccessLog(access_log(log) if setting else None)
    file = LogFile(setting.file, clock, log)
    line = lines(setting.format, Contents(wall, _client(setting), setting.query))
    add = file.add
    return AccessLog(lambda exchange: add(line(exchange)), file)


def complaints(setting: bool | AccessFile) -> Iterator[tuple[KeyPath, str]]:  # noqa: FBT001
    """Yield what is wrong with the file: the key's path below `access_log`, and the text."""
    if isinstance(setting, AccessFile):
        wrong = _unwritable(setting.file)
        if wrong:
            yield ("file",), f"{quoted(str(setting.file))} {wrong}"


def _unwritable(file: Path) -> str | None:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return _uncreatable(file)
    except OSError as error:
        return f"cannot be written: {(error.strerror or str(error)).lower()}"
    if stat.S_ISDIR(mode):
        return "is a folder; name a file in it"
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)):
        return "is no file that lines can be added to; name another"
    return None if os.access(file, os.W_OK) else "cannot be written; let netkit's user write it"


def _uncreatable(file: Path) -> str | None:
    folder = Path(os.path.realpath(file)).parent
    if not folder.is_dir():
        return "is in a folder that is not there; make the folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return "cannot be made; let netkit's user write in its folder"
    return None


def _client(setting: AccessFile) -> Callable[[Request], str]:
    trusted, reader = setting.trusted_proxies, READERS[setting.client_field]
    if not trusted:
        return lambda request: host(request.client.peer)
    name = setting.client_field.value.lower().encode()

    def find(peer: str, value: bytes) -> str:
        address = None if peer == LOCAL else plain(peer)
        return str(client(address, reader(value), trusted) or LOCAL)

    remembered = lru_cache(KNOWN_CLIENTS)(find)

    def shown(request: Request) -> str:
        peer = host(request.client.peer)
        value = request.header(name)
        if value is None:
            return peer
        return (remembered if len(value) <= KNOWN_BYTES else find)(peer, value)

    return shown
