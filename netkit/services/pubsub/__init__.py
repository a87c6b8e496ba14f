"""Pub/sub: NATS clients, and whoever connects with netcat, on the same subjects."""

from netkit.services.kind import Kind
from netkit.services.pubsub.service import build
from netkit.services.pubsub.settings import Options, Settings, complaints

KIND = Kind(
    name="pubsub",
    settings=Settings,
    options=Options,
    build=build,
    complaints=complaints,
    limits={"first_byte_timeout": 0.0, "idle_timeout": 0.0},  # whoever only listens is quiet
)
