"""Dovecot on loopback, with the mail of one user; nothing of it is left after a test."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from grp import getgrgid
from pathlib import Path
from pwd import getpwnam, getpwuid
from textwrap import dedent

from twisted.trial.unittest import TestCase

from netkit.tools.certificate import issue

DOVECOT = shutil.which("dovecot") or "/usr/sbin/dovecot"
MISSING = None if Path(DOVECOT).exists() else "dovecot is not installed"
USER = "zoë@lab.example"
PASSWORD = 'ünï "q\\ x'

_CONFIG = """
    base_dir = {folder}/base
    log_path = {folder}/log
    protocols = imap
    listen = 127.0.0.1
    ssl = {ssl}
    ssl_cert = <{folder}/server.pem
    ssl_key = <{folder}/server.pem
    disable_plaintext_auth = no
    auth_mechanisms = {mechanisms}
    auth_username_chars =
    auth_failure_delay = 0
    default_login_user = {login_user}
    default_internal_user = {internal_user}
    default_internal_group = {internal_group}
    first_valid_uid = 1
    first_valid_gid = 1
    mail_location = maildir:{folder}/mail
    passdb {{
      driver = passwd-file
      args = scheme=PLAIN username_format=%u {folder}/users
    }}
    userdb {{
      driver = static
      args = uid={uid} gid={gid} home={folder}/mail
    }}
    service imap-login {{
      chroot =
      inet_listener imap {{
        port = {clear_port}
      }}
      inet_listener imaps {{
        port = {tls_port}
      }}
    }}
    service anvil {{
      chroot =
    }}
    service stats {{
      chroot =
    }}
"""


class Dovecot:
    """A server that runs until the end of `test`, with `messages` in its INBOX.

    `port` is in the clear with STARTTLS, and `tls_port` with TLS; `authority` is the certificate to
    trust, which has `expired` where that is asked for.
    """

    def __init__(
        self,
        test: TestCase,
        messages: Sequence[bytes] = (),
        *,
        mechanisms: str = "plain",
        tls: bool = True,
        expired: bool = False,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="dovecot-"))  # a socket's path has to be short
        test.addCleanup(shutil.rmtree, self.folder)
        self.folder.chmod(0o755)
        self._messages(messages)
        self._certificate(expired=expired)
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        self.port, self.tls_port = (each.getsockname()[1] for each in sockets)
        self._start(test, sockets, mechanisms=mechanisms, ssl="yes" if tls else "no")

    @property
    def authority(self) -> str:
        """The file of the certificate."""
        return str(self.folder / "certificate.pem")

    def unread(self) -> int:
        """Return how many messages nobody has read, or even seen."""
        return len(list((self.folder / "mail" / "new").iterdir()))

    def _messages(self, messages: Sequence[bytes]) -> None:
        for name in ("cur", "new", "tmp"):
            (self.folder / "mail" / name).mkdir(parents=True)
        for number, message in enumerate(messages, 1):
            (self.folder / "mail" / "new" / f"{number:09}.x").write_bytes(message)
        if os.geteuid() == 0:
            nobody = getpwnam("nobody")
            for each in (self.folder / "mail", *(self.folder / "mail").rglob("*")):
                os.chown(each, nobody.pw_uid, nobody.pw_gid)

    def _certificate(self, *, expired: bool) -> None:
        now = datetime.now(UTC)
        ends = now + timedelta(days=-1 if expired else 1)
        issued = issue(("localhost", "127.0.0.1"), now - timedelta(days=2), ends)
        (self.folder / "server.pem").write_bytes(issued.pem)
        Path(self.authority).write_bytes(issued.certificate_pem)

    def _start(self, test: TestCase, sockets: Sequence[socket.socket], **words: str) -> None:
        own = getpwuid(os.geteuid()).pw_name
        root = own == "root"
        mail = getpwnam("nobody") if root else getpwnam(own)
        config = dedent(_CONFIG).format(
            folder=self.folder,
            clear_port=self.port,
            tls_port=self.tls_port,
            login_user="dovenull" if root else own,
            internal_user="dovecot" if root else own,
            internal_group="dovecot" if root else getgrgid(os.getegid()).gr_name,
            uid=mail.pw_uid,
            gid=mail.pw_gid,
            **words,
        )
        (self.folder / "dovecot.conf").write_text(config)
        # Listening sockets are handed over as systemd does it, as descriptors 3 and 4; by way of
        # 0 and 1, as a shell may know no descriptor of two digits.
        process = subprocess.Popen(
            (
                "sh",
                "-c",
                "exec 3<&0 4<&1 </dev/null >/dev/null;"
                f" LISTEN_FDS=2 LISTEN_PID=$$ exec {DOVECOT} -F -c {self.folder}/dovecot.conf",
            ),
            stdin=sockets[0].fileno(),
            stdout=sockets[1].fileno(),
            stderr=subprocess.DEVNULL,
        )
        test.addCleanup(process.wait, 10)
        test.addCleanup(process.terminate)
        for each in sockets:
            each.close()
