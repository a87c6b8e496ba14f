"""What asking a server may cost, and how long it may take. Pure."""

from typing import Annotated

from attrs import frozen

from netkit.document.values import Between, Bytes, Count, Seconds

CountOrNever = Annotated[int, Between(0, 10_000_000, "0 for never")]


@frozen
class ClientLimits:
    """A table of an operator's; times are in seconds.

    `header_timeout` runs from the whole request to the whole header section of the answer,
    `read_timeout` while a server is silent in the middle of a body that somebody waits for,
    `write_timeout` while it takes nothing of what waits for it. A header section has a size and a
    number of fields, and an answer so many interim ones before it.

    To one server there are at most `connections`, tunnels included; the questions for which there is
    none wait, `waiting` of them for `waiting_timeout`. Connections are kept for `idle_timeout`, `idle`
    to one server and `idle_in_all`, and closed after so many `requests` (0 for never).
    """

    header_timeout: Seconds = 60.0
    read_timeout: Seconds = 60.0
    write_timeout: Seconds = 60.0
    header_bytes: Bytes = 64 * 1024
    header_fields: Count = 200
    interim_answers: Count = 16
    connections: Count = 512
    waiting: CountOrNever = 1024
    waiting_timeout: Seconds = 10.0
    idle: CountOrNever = 64
    idle_in_all: CountOrNever = 1024
    idle_timeout: Seconds = 50.0
    requests: CountOrNever = 0


DEFAULTS = ClientLimits()
