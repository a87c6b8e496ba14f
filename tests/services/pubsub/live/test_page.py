"""The page: a script of its own and nothing foreign; what it begins with is what a visitor may do."""

import re
from base64 import b64encode
from hashlib import sha256

from netkit.services.pubsub import settings as service
from netkit.services.pubsub.live.settings import Allowed, Settings
from tests.services.pubsub.live.mounted import LiveCase


class PageTests(LiveCase):
    def _values(self) -> list[str]:
        return re.findall('value="(.*?)"', self.ask("/live").body.decode())

    def test_script(self) -> None:
        """The policy allows the one script, and talking to this server."""
        for path in ("/live", "/live/"):
            answer = self.ask(path)
            (script,) = re.findall(b"<script>(.*?)</script>", answer.body, re.DOTALL)
            digest = b64encode(sha256(script).digest()).decode()
            policy = answer.headers["Content-Security-Policy"]
            self.assertIn(f"script-src 'sha256-{digest}'; connect-src 'self'", policy)
            self.assertIn(b'data-base="/live"', answer.body)
            self.assertNotIn(b"innerHTML", script)

    def test_begins(self) -> None:
        """The page listens to everything and publishes to line clients, if the visitor may."""
        self.assertEqual(self._values(), ["&gt;", "lines"])
        self.serve(shown=service.Settings(lines="hall"))
        self.assertEqual(self._values(), ["&gt;", "hall"])
        allowed = Allowed(allow=("a.*", "b"))
        self.serve(Settings(publish=allowed, subscribe=allowed))
        self.assertEqual(self._values(), ["a.*", "b"])
        nothing = Allowed(allow=())
        self.serve(Settings(publish=nothing, subscribe=nothing))
        self.assertEqual(self._values(), ["", ""])

    def test_only_read(self) -> None:
        """The page is read; nothing can be posted to it."""
        self.assertEqual(self.ask("/live", method="POST", body=b"x").status, 405)
        self.assertEqual(self.ask("/live", method="HEAD").status, 200)
