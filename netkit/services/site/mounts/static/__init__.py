"""The mount `static`: the files of a folder."""

from netkit.services.kind import MountKind
from netkit.services.site.mounts.static.mount import build
from netkit.services.site.mounts.static.settings import Settings, complaints

KIND = MountKind(name="static", settings=Settings, build=build, complaints=complaints)
