"""Tells twistd of netkit; the module is named as a string, so that listing plugins imports nothing."""

from twisted.application.service import ServiceMaker

netkit = ServiceMaker(
    "netkit",
    "netkit.tap",
    "finger, echo, pub/sub, a web site and a proxy from one TOML file",
    "netkit",
)
