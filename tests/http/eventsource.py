"""A browser's end of server-sent events, by the letter of the HTML standard 9.2.6."""

from attrs import define, field


@define
class Heard:
    """An event as a page gets it."""

    type: str
    data: str
    last_event_id: str


@define
class EventSource:
    """Interprets a whole stream; `heard` has the events, and the rest what a browser would remember."""

    heard: list[Heard] = field(factory=list)
    comments: int = 0
    last_event_id: str = ""
    retry: int | None = None
    _data: str = ""
    _type: str = ""
    _id: str = ""

    def read(self, stream: bytes) -> "EventSource":
        """Interpret `stream`; what no blank line ends is dropped."""
        text = stream.decode(errors="replace").removeprefix("\ufeff")
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
            self._line(line)
        return self

    def _line(self, line: str) -> None:
        if not line:
            self._dispatch()
        elif line.startswith(":"):
            self.comments += 1
        else:
            name, _, value = line.partition(":")
            self._field(name, value.removeprefix(" "))

    def _field(self, name: str, value: str) -> None:
        match name:
            case "event":
                self._type = value
            case "data":
                self._data += value + "\n"
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry = int(value)

    def _dispatch(self) -> None:
        self.last_event_id = self._id
        data, kind = self._data, self._type
        self._data = self._type = ""
        if data:
            self.heard.append(Heard(kind or "message", data.removesuffix("\n"), self._id))
