"""What a row of the table is declared with: a work, its sides, and the servers of these.

All of it is values; nothing is looked for and nothing is started here.
"""

from collections.abc import Mapping

from attrs import field, frozen

from benchmarks.figures import Figure
from benchmarks.load import Load
from benchmarks.programs import Program


@frozen(kw_only=True)
class Server:
    """How a server is started: the program, its arguments, and the files it finds in its folder.

    With `pem` it finds a self-signed certificate and its key there, in one file of that name, and
    with `zeros` files of so many bytes that take no room on the disk. Arguments and files may
    have $port, $origin, $folder and $servers in them (`Place.fill`).
    """

    name: str
    program: Program
    arguments: tuple[str, ...]
    files: Mapping[str, str] = field(factory=dict)
    zeros: Mapping[str, int] = field(factory=dict)
    pem: str = ""


@frozen
class Side:
    """One of those compared: a server, what is done to it, and what stands behind it, if anything."""

    server: Server
    load: Load
    origin: Server | None = None

    @property
    def name(self) -> str:
        """The server's name, which is unique in a work."""
        return self.server.name


@frozen
class Row:
    """A row of the table: a figure, what is to be reached, and its name where a work has several.

    `goal` is measured by the first peer, and `others` has those that are measured by other peers.
    """

    figure: Figure
    goal: str = ""
    name: str = ""
    others: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True)
class Work:
    """Something that is measured. A goal without a unit is a ratio to a peer.

    `netkit` is None as long as netkit cannot do it; such a work is not in the table.
    """

    name: str
    rows: tuple[Row, ...]
    netkit: Side | None = None
    peers: tuple[Side, ...]

    @property
    def sides(self) -> tuple[Side, ...]:
        """Netkit first, if it is there, and the peers."""
        return (self.netkit, *self.peers) if self.netkit else self.peers


def against(load: Load, *servers: Server, origin: Server | None = None) -> tuple[Side, ...]:
    """Return the sides in which the same load meets each of `servers`."""
    return tuple(Side(server, load, origin) for server in servers)
