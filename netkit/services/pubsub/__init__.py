"""Pub/sub: NATS clients, and whoever connects with netcat, on the same subjects."""

from netkit.services.kind import Kind
from netkit.services.pubsub.live import mount as live
from netkit.services.pubsub.monitor import mount as monitor
from netkit.services.pubsub.service import build
from netkit.services.pubsub.settings import Options, Settings, complaints

KIND = Kind(
    name="pubsub",
    settings=Settings,
    options=Options,
    build=build,
    complaints=complaints,
    mounts=(live.KIND, monitor.KIND),
    limits={"first_byte_timeout": 0.0, "idle_timeout": 0.0},  # whoever only listens is quiet
)
