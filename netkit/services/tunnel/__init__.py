"""Tunnel: every connection becomes one to a server, whatever is spoken on it."""

from netkit.services.kind import Kind, NoOptions
from netkit.services.tunnel.service import build
from netkit.services.tunnel.settings import Settings, complaints

__all__ = ["KIND", "Settings"]

KIND: Kind[Settings, NoOptions] = Kind(
    name="tunnel",
    settings=Settings,
    options=NoOptions,
    build=build,
    complaints=complaints,
    limits={"first_byte_timeout": 0.0, "idle_timeout": 0.0},  # a tunnel has times of its own
)
