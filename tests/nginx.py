"""A real nginx with everything it writes in one folder, which ends with its test."""

from pathlib import Path
from shutil import which
from subprocess import DEVNULL, Popen

from twisted.trial.unittest import SynchronousTestCase

NGINX = which("nginx") or "/usr/sbin/nginx"
NO_NGINX = None if Path(NGINX).exists() else "nginx is not installed"

_SETTINGS = """\
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr crit;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    {http}
    server {{ {server} }}
}}
"""


def nginx(test: SynchronousTestCase, folder: Path, server: str, http: str = "") -> None:
    """Start nginx for `test`, with these directives in its server and beside it.

    `folder` is an absolute path, and gets a file `pid` once nginx listens.
    """
    settings = folder / "nginx.conf"
    settings.write_text(_SETTINGS.format(folder=folder, server=server, http=http))
    process = Popen([NGINX, "-c", settings, "-p", folder, "-e", "stderr"], stderr=DEVNULL)
    test.addCleanup(process.wait)
    test.addCleanup(process.kill)
