"""What the table `fabric` of a pub/sub service may hold."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

from attrs import field, frozen

from netkit.document.values import Bytes, Count, OneOrMore, ReadBy, Seconds, quoted
from netkit.net.tlsclient import trusted
from netkit.services.kind import Complaint
from netkit.services.pubsub.nats.servers import parse


class WhenCutOff(Enum):
    """What becomes of messages for the cluster while there is no connection to it."""

    BUFFER = "buffer"
    DROP = "drop"


ServerUrl = Annotated[str, ReadBy(parse)]


@frozen(kw_only=True)
class Fabric:
    """The table; without `servers` there is no fabric.

    The node logs in by what stands in a server's URL, or else by `user` and `password`, or `token`.
    Servers that the cluster tells of are taken for as good where `discover` is true. `tls_first` is for
    servers that shake hands before they say anything; `ca` is a file of those who may have issued
    their certificates, or the system's roots.

    `buffer_bytes` may wait for the cluster: while the node is cut off, unless `when_cut_off` says
    otherwise, and while the server does not keep up. `message_bytes` is the longest message that is
    taken from the cluster. A server is silent after `pings_out` pings without an answer, one each
    `ping_interval`. After a failed round through all servers the next attempt waits for
    `reconnect_wait`, and twice as long each time, up to `reconnect_wait_most`.
    """

    servers: Annotated[tuple[ServerUrl, ...], OneOrMore()] = field(default=(), repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    discover: bool = True
    tls_first: bool = False
    ca: Path | None = None
    verify: bool = True
    when_cut_off: WhenCutOff = WhenCutOff.BUFFER
    buffer_bytes: Bytes = 8 * 1024 * 1024
    message_bytes: Bytes = 8 * 1024 * 1024
    connect_timeout: Seconds = 5.0
    ping_interval: Seconds = 20.0
    pings_out: Count = 2
    reconnect_wait: Seconds = 1.0
    reconnect_wait_most: Seconds = 30.0


def complaints(fabric: Fabric) -> Iterator[Complaint]:
    """Yield what is wrong between the keys, and with the file of authorities."""
    if fabric.password and not fabric.user:
        yield Complaint(("fabric", "user"), "is missing; a password is somebody's")
    if fabric.token and fabric.user:
        yield Complaint(("fabric", "token"), "stands beside a user; one of the two")
    if fabric.ca is not None and not fabric.verify:
        text = "is for nothing where verify = false; leave one of them out"
        yield Complaint(("fabric", "ca"), text)
    if fabric.reconnect_wait > fabric.reconnect_wait_most:
        most = quoted("reconnect_wait_most")
        yield Complaint(("fabric", "reconnect_wait"), f"is longer than {most}; at most as long")
    for fault in trusted(fabric.ca).faults if fabric.ca else ():
        yield Complaint(("fabric", "ca"), f"{fault.file} {fault.text}")
