"""An input and an output in memory, of which a test says what there is to read and room to write."""

from typing import Any, cast

from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.testing import MemoryReactor

from netkit.tools.bridging.descriptors import Sink, Sort, Source
from netkit.tools.bridging.standard import Input, Output


class Ends:
    """Both, on a reactor that does nothing by itself."""

    def __init__(
        self, sort: Sort = Sort.STREAM, *, waits: bool = False, at_once: int = 1 << 20
    ) -> None:
        self._reactor = MemoryReactor()
        reactor = cast("IReactorFDSet", self._reactor)
        self.typed: list[bytes | OSError] = []
        self.shown = bytearray()
        self.room = 1 << 30
        self.writes: list[int] = []
        self.broken: OSError | None = None
        self.closed: list[str] = []
        self.source = Input(reactor, Source(0, sort, self._read, lambda: self._close("input")))
        sink = Sink(1, waits, at_once, self._write, lambda: self._close("output"))
        self.output = Output(reactor, sink)

    def _close(self, what: str) -> None:
        self.closed.append(what)

    def _read(self, size: int) -> bytes:
        if not self.typed:
            raise BlockingIOError
        piece = self.typed.pop(0)
        if isinstance(piece, OSError):
            raise piece
        assert len(piece) <= size
        return piece

    def _write(self, data: Any) -> int:
        if self.broken is not None:
            raise self.broken
        if not self.room:
            raise BlockingIOError
        taken = min(len(data), self.room)
        self.writes.append(len(data))
        self.room -= taken
        self.shown += data[:taken]
        return taken

    @property
    def reading(self) -> bool:
        """Whether the input would be read."""
        return self.source in self._reactor.getReaders()

    def type(self, *pieces: bytes | OSError) -> None:
        """Have so much read as somebody wants to read; b"" is the end."""
        self.typed += pieces
        while self.typed and self.reading:
            self.source.doRead()

    def make_room(self, room: int = 1 << 30) -> None:
        """Let the output take so many bytes more."""
        self.room = room
        while self.room and self.waiting:
            self.output.doWrite()

    @property
    def waiting(self) -> bool:
        """Whether the output asks when there is room."""
        return self.output in self._reactor.getWriters()
