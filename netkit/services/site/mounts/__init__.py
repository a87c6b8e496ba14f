"""What a site can show by itself: one file a mount, and one line of this table."""

from typing import Any

from netkit.services.kind import MountKind
from netkit.services.site.mounts import colors, counter, form, request, resource, static

MOUNTS: tuple[MountKind[Any, Any], ...] = (
    static.KIND,
    counter.KIND,
    form.KIND,
    colors.KIND,
    request.KIND,
    resource.KIND,
)
