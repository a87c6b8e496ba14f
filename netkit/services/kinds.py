"""The kinds of service that there are, a line each."""

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
