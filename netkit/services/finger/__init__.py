"""Finger (RFC 1288): tells who the users are, and what each has to say.

`wire` has the bytes, `directory` the users as values, `answers` the texts; `users` and `plans` read
files; `service` brings them together, and `protocol` is one connection.
"""

from netkit.services.finger.service import build
from netkit.services.finger.settings import Settings, complaints
from netkit.services.kind import Kind, NoOptions

__all__ = ["KIND", "Settings"]

KIND: Kind[Settings, NoOptions] = Kind(
    name="finger",
    settings=Settings,
    options=NoOptions,
    build=build,
    complaints=complaints,
)
