"""What twistd sees of netkit: its options, and a service made from them."""

import select
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from twisted.application.service import IService
from twisted.python.usage import Options as UsageOptions

from netkit.daemon.compose import Daemon, Prepared, prepare
from netkit.daemon.logs import destination
from netkit.errors import ConfigError
from netkit.net.reactor import install


class Options(UsageOptions):
    """The command line: `twistd [twistd's options] netkit [these]`."""

    synopsis = "[options]"
    longdesc = "Serves finger, echo, pub/sub, a web site and a proxy, as one TOML file says."
    optParameters = (["config", "c", "etc/netkit.toml", "The file that says what to serve."],)
    optFlags = (["check", None, "Say what would listen where, or what is wrong, and stop."],)
    prepared: Prepared

    def postOptions(self) -> None:
        """Read the configuration; exit 1 with every problem in it, or 0 where this is a check.

        netkit's own reactor is installed where epoll is and nobody asked twistd for another by `-r`.
        """
        if "twisted.internet.reactor" not in sys.modules and hasattr(select, "epoll"):
            install()
        try:
            self.prepared = prepare(self["config"])
        except ConfigError as error:
            raise SystemExit(str(error)) from None
        if self["check"]:
            lines = (*self.prepared.listing(), *self.prepared.remarks(), "configuration OK")
            print(*lines, sep="\n")  # noqa: T201
            raise SystemExit(0)


def makeService(options: Options) -> IService:
    """Return the daemon that `options` ask for, on the global reactor."""
    from twisted.internet import reactor  # noqa: PLC0415 (installed by now, never at import)

    return Daemon(options.prepared, reactor, _log_to(options.parent or {}))


def _log_to(twistd: Mapping[str, Any]) -> TextIO | None:
    """Return where twistd was told to log; None where it has an observer of another kind."""
    if "nodaemon" not in twistd or twistd["syslog"] or twistd["logger"]:
        return None
    return destination(twistd["logfile"], in_foreground=bool(twistd["nodaemon"]))
