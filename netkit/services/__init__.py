"""What netkit serves: one folder a kind, and one line of this table."""

from typing import Any

from netkit.services import echo, finger, proxy, pubsub, site, tunnel
from netkit.services.kind import Kind

KINDS: tuple[Kind[Any, Any], ...] = (
    echo.KIND,
    finger.KIND,
    proxy.KIND,
    pubsub.KIND,
    site.KIND,
    tunnel.KIND,
)
