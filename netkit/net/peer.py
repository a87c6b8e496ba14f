"""A peer's address as text, the same in every log line and every protocol that shows one."""

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

LOCAL = "unix"


def host(peer: IAddress) -> str:
    """Return the IP address of `peer`, or `unix` where it has none."""
    return peer.host if isinstance(peer, IPv4Address | IPv6Address) else LOCAL


def host_and_port(peer: IAddress) -> str:
    """Return the IP address and port of `peer`, IPv6 in brackets (RFC 3986 3.2.2); or `unix`."""
    match peer:
        case IPv4Address():
            return f"{peer.host}:{peer.port}"
        case IPv6Address():
            return f"[{peer.host}]:{peer.port}"
        case _:
            return LOCAL
