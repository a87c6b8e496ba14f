"""Who may use the proxy. Pure."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

from netkit.document.values import Network


def admits(networks: Iterable[Network], host: str) -> bool:
    """Return whether the address `host` is in one of `networks`.

    An IPv4 address in IPv6 clothes (`::ffff:127.0.0.1`, RFC 4291 2.5.5.2) counts as what it is. What
    is no address is in no network.
    """
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
