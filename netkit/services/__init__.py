"""What netkit serves: one folder a kind, and one line of this table."""

from typing import Any

from netkit.services import finger
from netkit.services.kind import Kind

KINDS: tuple[Kind[Any, Any], ...] = (finger.KIND,)
