"""Names of TCP services, as this host knows them (/etc/services), and those that a scan begins with.

Rule: what the system says goes first; where it says nothing, a well-known name still stands here.
"""

import socket
from collections.abc import Mapping

WELL_KNOWN: Mapping[int, str] = {
    7: "echo",
    21: "ftp",
    22: "ssh",
    23: "telnet",
    25: "smtp",
    53: "domain",
    79: "finger",
    80: "http",
    88: "kerberos",
    110: "pop3",
    111: "sunrpc",
    119: "nntp",
    135: "epmap",
    139: "netbios-ssn",
    143: "imap2",
    389: "ldap",
    443: "https",
    445: "microsoft-ds",
    465: "submissions",
    515: "printer",
    587: "submission",
    631: "ipp",
    636: "ldaps",
    853: "domain-s",
    873: "rsync",
    993: "imaps",
    995: "pop3s",
    1080: "socks",
    1433: "ms-sql-s",
    1883: "mqtt",
    2049: "nfs",
    3128: "http-proxy",
    3306: "mysql",
    3389: "ms-wbt-server",
    4222: "nats",
    5222: "xmpp-client",
    5432: "postgresql",
    5672: "amqp",
    5900: "vnc",
    6379: "redis",
    6443: "kubernetes",
    8000: "http-alt",
    8080: "http-alt",
    8443: "https-alt",
    8883: "secure-mqtt",
    9090: "prometheus",
    9100: "jetdirect",
    9200: "elasticsearch",
    11211: "memcache",
    27017: "mongodb",
}
"""The ports that are scanned where none are given, with names for where the system has none."""

_NUMBERS = {name: port for port, name in reversed(tuple(WELL_KNOWN.items()))}


def port_of(name: str) -> int | None:
    """Return the port of the service `name`, or None."""
    try:
        return socket.getservbyname(name, "tcp")
    except (OSError, ValueError):
        return _NUMBERS.get(name)


def name_of(port: int) -> str:
    """Return the name of the service at `port`, or the empty string."""
    try:
        return socket.getservbyport(port, "tcp")
    except OSError:
        return WELL_KNOWN.get(port, "")
