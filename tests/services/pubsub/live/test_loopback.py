"""The mount over real connections, with curl as others use it, and netcat on the same subject."""

import shutil
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.running import Running, netkit

_CONFIG = """
[service.pubsub]
listen = { endpoint = "tcp:0:interface=127.0.0.1", protocol = "line" }
[service.web]
kind = "site"
listen = "tcp:0:interface=127.0.0.1"
[[service.web.mount]]
path = "/live"
kind = "pubsub"
service = "pubsub"
"""
_CURL = shutil.which("curl") or ""


class LoopbackTests(SynchronousTestCase):
    def _url(self, running: Running) -> str:
        (port,) = running.ports["web"]
        return f"http://127.0.0.1:{port}/live"

    def _publish(self, url: str, body: str) -> str:
        command = [_CURL, "-s", "-o", "-", "-w", "%{http_code}", "--data-binary", body, url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def test_curl(self) -> None:
        """A curl that listens hears what another publishes, and one that comes back what it missed."""
        with netkit(_CONFIG, self.mktemp()) as running:
            url = self._url(running)
            listening = subprocess.Popen(
                [_CURL, "-sN", "--max-time", "20", f"{url}/events?subject=a.>"],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert listening.stdout is not None
            self.assertEqual(listening.stdout.readline(), "retry: 2000\n")
            self.assertEqual(listening.stdout.readline(), "\n")
            self.assertEqual(self._publish(f"{url}/publish/a.b", "hello"), "204")
            number = listening.stdout.readline().removeprefix("id: ").strip()
            self.assertEqual(
                listening.stdout.readline(), 'data: {"subject":"a.b","data":"hello"}\n'
            )
            listening.kill()
            listening.wait()
            listening.stdout.close()
            self._publish(f"{url}/publish/a.c", "missed")
            command = [_CURL, "-sN", "--max-time", "1", f"{url}/events?subject=a.>&since={number}"]
            back = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            self.assertEqual(back.count("id: "), 1)
            self.assertIn('data: {"subject":"a.c","data":"missed"}\n', back)

    def test_large(self) -> None:
        """What is too long is refused before curl sends it."""
        with netkit(_CONFIG, self.mktemp()) as running:
            body = Path(self.mktemp())
            body.write_bytes(bytes(2 * 1024 * 1024))
            url = self._url(running) + "/publish/a"
            self.assertTrue(self._publish(url, f"@{body}").endswith("413"))

    if not _CURL:
        skip = "curl is not installed"
