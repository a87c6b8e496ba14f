"""Tells twistd of netkit; modules are named as strings, so that listing plugins imports nothing."""

from twisted.application.reactors import Reactor
from twisted.application.service import ServiceMaker

netkit = ServiceMaker(
    "netkit",
    "netkit.tap",
    "finger, echo, pub/sub, a web site and a proxy from one TOML file",
    "netkit",
)
reactor = Reactor("netkit", "netkit.net.reactor", "epoll with eager writes and direct reads.")
