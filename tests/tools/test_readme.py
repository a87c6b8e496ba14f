"""The README's section "The client side": every line that can be typed here does what it is for."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.certificate import NAMES, provide
from tests.running import PATIENCE, ROOT, Running, netkit

_LISTENS = re.compile(r"tcp:\d+(:interface=127\.0\.0\.1)?")
_TYPED = re.compile(r"^\| [^|]+ \| `((?:[^`]|\\\|)+)`", re.MULTILINE)
_ELSEWHERE = ("netkit mail", "netkit sub")  # these need a mailbox, and somebody who publishes

WANTED: Mapping[str, tuple[int, str]] = {
    "netkit scan localhost 8080": (0, ": open, connected"),
    "netkit scan localhost 1-2000": (0, "open"),
    r"printf 'moshez\n' | netkit connect --crlf localhost 1079": (0, "Happy and well"),
    "netkit get http://localhost:8080/": (0, "<title>netkit</title>"),
    "netkit get -o page.html http://localhost:8080/": (0, ""),
    "netkit get --user moshez http://localhost:8080/": (0, "<title>netkit</title>"),
    "netkit upload http://localhost:8080/form/posthandler README.md": (0, "README.md"),
    "netkit check http://localhost:8080/": (1, "new"),
    "netkit get -O http://localhost:8080/style.css": (0, ""),
    "netkit get -v --max-bytes 10k http://localhost:8080/": (0, "200"),
    r"printf 'GET / HTTP/1.0\r\n\r\n' | netkit connect localhost 8080": (0, "HTTP/1.1 200 OK"),
    "netkit finger moshez@localhost:1079": (0, "Happy and well"),
    "netkit pub chat.main hello": (0, ""),
}
"""Each line, with its exit status and something of what it shows."""


def lines() -> list[str]:
    """Return the lines of the section's table."""
    section = (ROOT / "README.md").read_text().partition("## The client side")[2]
    found = _TYPED.findall(section.partition("\n## ")[0])
    return [line.replace("\\|", "|") for line in found if not line.startswith(_ELSEWHERE)]


class ReadmeTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have the reference configuration beside what it needs, on ports of its own."""
        above = tempfile.mkdtemp()  # where whom the daemon becomes may read, which trial's is not
        self.addCleanup(shutil.rmtree, above)
        Path(above).chmod(0o755)
        self.folder = Path(above) / "etc"
        shutil.copytree(ROOT / "etc", self.folder, ignore=shutil.ignore_patterns("tls"))
        provide(self.folder / "tls", NAMES, datetime.now(UTC))
        text = (self.folder / "netkit.toml").read_text().splitlines(keepends=True)
        self.config = "".join(
            _LISTENS.sub("tcp:0:interface=127.0.0.1", line) if line.startswith("listen") else line
            for line in text
        )
        shutil.copy(ROOT / "README.md", self.folder)

    def typed(self, line: str, running: Running) -> "subprocess.CompletedProcess[str]":
        """Return what comes of a line, typed beside that daemon."""
        web, finger, nats = (running.ports[name] for name in ("web", "finger", "pubsub"))
        line = re.sub(r"(localhost[: ])8080", rf"\g<1>{web[0]}", line)
        line = line.replace("1-2000", f"{web[0] - 1}-{web[0]}")
        line = re.sub(r"(localhost[: ])1079", rf"\g<1>{finger[0]}", line)
        return subprocess.run(
            ["bash", "-c", f'netkit() {{ "{sys.executable}" -m netkit.tools "$@"; }}; {line}'],
            cwd=self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "NATS_URL": f"nats://127.0.0.1:{nats[1]}",
                "XDG_STATE_HOME": str(self.folder),
                "HOME": str(self.folder),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE,
            check=False,
        )

    def test_lines(self) -> None:
        """Each line that stands there works, and all that are wanted stand there."""
        self.assertEqual(sorted(lines()), sorted(WANTED))
        with netkit(self.config, str(self.folder)) as running:
            for line, (status, shown) in WANTED.items():
                with self.subTest(line):
                    ran = self.typed(line, running)
                    self.assertEqual(ran.returncode, status, ran)
                    self.assertIn(shown, ran.stdout + ran.stderr)
            again = self.typed("netkit check http://localhost:8080/", running)
            self.assertEqual((again.returncode, "unchanged" in again.stdout), (0, True))
        self.assertIn("<title>", (self.folder / "page.html").read_text())
        self.assertTrue((self.folder / "style.css").exists())
