"""What an echo service's table may hold."""

from enum import Enum

from attrs import frozen

from netkit.document.values import Bytes


class Mode(Enum):
    """How the bytes go back: as they came (RFC 862), or as an answer to each line."""

    RAW = "raw"
    LINE = "line"


@frozen(kw_only=True)
class Settings:
    """The table; `line_bytes` is the longest line, without its end, in mode line."""

    mode: Mode = Mode.RAW
    line_bytes: Bytes = 4096
