"""What a .tac file calls: `application = netkit.application.application("netkit.toml")`."""

import sys
from typing import Any

from twisted.application.service import Application

from netkit.daemon.compose import Daemon, prepare
from netkit.errors import ConfigError


def application(path: str) -> Any:  # noqa: ANN401 (Twisted names no type for it)
    """Return a Twisted Application that serves what the configuration file `path` says.

    Log lines go to standard output, as for `twistd -n`; twistd's own --logfile is not seen here.
    Exits with status 1 and every problem where the file cannot be used.
    """
    from twisted.internet import reactor  # noqa: PLC0415 (never at import)

    try:
        prepared = prepare(path)
    except ConfigError as error:
        raise SystemExit(str(error)) from None
    made = Application("netkit")
    Daemon(prepared, reactor, sys.stdout).setServiceParent(made)
    return made
