"""A file that comes into being: beside its place, until it is whole.

FILE.part has what has come, FILE.part.json what that is a part of. Rule: FILE is what it was, or all of
the new one, at every moment and after any end; what stays of a part is of use, or goes; and nobody
else's file goes, whatever its name.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from errno import EEXIST, EISDIR, ENXIO, ESPIPE
from io import FileIO
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from netkit.http.messages import PIECE_BYTES
from netkit.replacing import sync_folder
from netkit.tools.getting.continuing import Part
from netkit.tools.web.urls import Url

SUFFIX = ".part"
MEMORY_SUFFIX = ".part.json"
MEMORY_BYTES = 64 * 1024

_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def is_replaced(path: Path) -> bool:
    """Return whether what stands at `path` makes room for a new file; a device is written to.

    Raise OSError where neither can be.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return True
    if S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    return S_ISREG(mode)


class Partial:
    """The part of the file at `path`. Raise OSError where there can be none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = path.with_name(path.name + SUFFIX)
        self.size = 0
        self._memory = path.with_name(path.name + MEMORY_SUFFIX)
        self._remembers = False
        self._check_names()
        self._descriptor = os.open(self.place, _OPEN, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise OSError(error.errno, "is being fetched by another netkit", str(path)) from None

    def _check_names(self) -> None:
        """See to it that what stands beside the file's place is a part of netkit's, if anything is."""
        if self._memory_of_all() is None:
            for place in (self._memory, self.place):
                if os.path.lexists(place) and place.lstat().st_size:
                    raise OSError(EEXIST, "is nothing of netkit's; move it away", str(place))

    def known(self, url: Url) -> Part | None:
        """Return what there is of `url` from an earlier time, if it is of use; it stays."""
        size = os.fstat(self._descriptor).st_size
        remembered = self._recall(str(url))
        if remembered is None or not size:
            return None
        part = Part(size, *remembered)
        if part.length is not None and size > part.length:
            return None
        self.size = os.lseek(self._descriptor, 0, os.SEEK_END)
        self._remembers = True
        return part

    def _recall(self, url: str) -> tuple[bytes, int | None] | None:
        """Return the validator and the length that were remembered, if they are of use."""
        memory = self._memory_of_all()
        if memory is None or memory[0] != url or not memory[1]:
            return None
        return memory[1], memory[2]

    def _memory_of_all(self) -> tuple[str, bytes, int | None] | None:
        """Return the URL, the validator and the length that were remembered."""
        try:
            with self._memory.open("rb") as file:
                memory = json.loads(file.read(MEMORY_BYTES))
            url, validator, length = memory["url"], memory["validator"], memory["length"]
            if not isinstance(url, str) or not isinstance(length, int | None):
                return None
            return url, validator.encode("latin-1"), length
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def begin(self, url: Url, validator: bytes, length: int | None) -> None:
        """Begin anew with what `validator` names, which may be empty; `length` is of the whole."""
        self._forget()
        os.ftruncate(self._descriptor, 0)
        self.size = os.lseek(self._descriptor, 0, os.SEEK_SET)
        memory = {"url": str(url), "validator": validator.decode("latin-1"), "length": length}
        descriptor = os.open(self._memory, _OPEN | os.O_TRUNC, 0o600)  # a URL may be a secret
        with os.fdopen(descriptor, "w") as file:
            json.dump(memory, file)
        self._remembers = bool(validator)

    def write(self, piece: bytes) -> None:
        """Put `piece` behind what there is."""
        try:
            written = os.write(self._descriptor, piece)
            while written < len(piece):
                written += os.write(self._descriptor, memoryview(piece)[written:])
        except OSError as error:
            self._remembers = False
            raise _named(error, self.path) from None
        self.size += len(piece)

    def pieces(self) -> Iterator[bytes]:
        """Yield what there is."""
        at = 0
        while piece := os.pread(self._descriptor, PIECE_BYTES, at):
            at += len(piece)
            yield piece

    def finish(self) -> None:
        """Put the file in its place: all of it has come."""
        try:
            os.fsync(self._descriptor)
            self.place.replace(self.path)
        except OSError as error:
            self._remembers = False
            raise _named(error, self.path) from None
        self._forget()
        os.close(self._descriptor)
        self._descriptor = -1
        with suppress(OSError):  # the file is there; its name may be lost with the power
            sync_folder(self.path.parent)

    def discard(self) -> None:
        """Have nothing of it stay."""
        self._remembers = False

    def leave(self) -> bool:
        """Leave off, unless it is finished; return whether what there is stays for another time."""
        if self._descriptor < 0:
            return False
        stays = self._remembers and self.size > 0
        if not stays:
            self._forget()
            self.place.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1
        return stays

    def _forget(self) -> None:
        self._remembers = False
        self._memory.unlink(missing_ok=True)


class Device:
    """A device, or a pipe, at `path`, which keeps no part. Has what `Partial` has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._file = FileIO(str(path), "wb", opener=_at_once)

    def known(self, url: Url) -> Part | None:  # noqa: ARG002 (as Partial's)
        """Know of no part."""
        return None

    def begin(self, url: Url, validator: bytes, length: int | None) -> None:  # noqa: ARG002
        """Go on, where nothing has been written."""
        if self.size:
            raise OSError(ESPIPE, "cannot begin anew what is no file", str(self.path))

    def write(self, piece: bytes) -> None:
        """Write `piece`."""
        try:
            rest = memoryview(piece)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _named(error, self.path) from None
        self.size += len(piece)

    def pieces(self) -> Iterator[bytes]:
        """Yield nothing."""
        return iter(())

    def finish(self) -> None:
        """Close it."""
        self._file.close()

    def discard(self) -> None:
        """Do nothing: what was written is elsewhere by now."""

    def leave(self) -> bool:
        """Close it; there is nothing that stays."""
        self._file.close()
        return False


def opened(path: Path) -> Partial | Device:
    """Return where to put what shall be at `path`, or where a link there leads; raise OSError."""
    path = Path(os.path.realpath(path)) if path.is_symlink() else path
    return Partial(path) if is_replaced(path) else Device(path)


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for whoever would read a pipe, who may never come."""
    try:
        descriptor = os.open(path, flags | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == ENXIO:
            raise OSError(ENXIO, "nobody reads it", path) from None
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def _named(error: OSError, path: Path) -> OSError:
    return OSError(error.errno, error.strerror, str(path))
