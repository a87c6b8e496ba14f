"""`count_words` and the mount `words` as an operator writes them, and a proxy of them."""

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.kind import World
from netkit.services.proxy import KIND
from netkit.services.proxy.words import mount
from netkit.services.proxy.words.settings import CountWords
from tests.configured import loaded
from tests.http.fakes import asked, content, recorded
from tests.services.proxy.fakes import Server
from tests.services.proxy.proxies import GET, ProxyCase

SITE = """
[service.web]
kind = "site"
listen = "tcp:8080"
[[service.web.mount]]
path = "/words"
kind = "words"
service = "proxy"
"""


class ConfiguredTests(SynchronousTestCase):
    def load(self, proxy: str, site: str = "") -> tuple[Any, list[str]]:
        """Return the plans by name, and the problems, of a proxy with these keys beside a site."""
        return loaded(self, f'[service.proxy]\nlisten = "tcp:8001"\n{proxy}\n{SITE}{site}')

    def test_switch(self) -> None:
        """Counting is off by default, on, or on with limits of its own."""
        for written, expected in (
            ("", False),
            ("count_words = true", True),
            ("count_words = { documents = 5 }", CountWords(documents=5)),
        ):
            plans, problems = self.load(written)
            self.assertEqual(problems, [])
            self.assertEqual(plans["proxy"].settings.count_words, expected)

    def test_shown(self) -> None:
        """The mount refers to the proxy that it shows."""
        plans, _ = self.load("", 'least_length = 4\nstop_words = ["this"]')
        [reference] = plans["web"].references
        self.assertEqual((reference.service, reference.kind), ("proxy", "proxy"))
        [shown] = plans["web"].settings.mount
        self.assertEqual(shown.settings.stop_words, ("this",))

    def test_mistakes(self) -> None:
        """Mistakes are told with their line and key."""
        self.assertEqual(
            self.load("count_words = { waiting = 5, documents = 0 }\n", "top = 0\n")[1],
            [
                "3: [service.proxy] count_words.documents: 0 is out of range; 1 to 10000000",
                '3: [service.proxy] count_words.waiting: is not known here; did you mean "waiting_bytes"?',
                "13: [[service.web.mount]] top: 0 is out of range; 1 to 1000",
            ],
        )


class ProxyTests(ProxyCase):
    """A running proxy, and the mount that shows what it counts."""

    def setUp(self) -> None:
        self.server = self.asks = Server()
        super().setUp()

    def shown(self) -> Any:
        """Return what the mount shows a second later, in JSON."""
        self.memory.advance(1)
        handler = mount.KIND.build(
            mount.KIND.settings(), self.proxy, World(self.memory, self.memory, recorded([]))
        )
        response: Any = handler(asked(target=b"/?format=json"))
        return json.loads(content(response))

    def test_off(self) -> None:
        """By default nothing is counted."""
        self.assertIn(mount.KIND, KIND.mounts)
        self.assertIsNone(self.proxy.words)
        self.assertEqual(self.shown(), {"counting": False})

    def test_words(self) -> None:
        """What passes is counted and shown; what the proxy says itself is not counted."""
        self.serve(count_words=True)
        self.send(GET)
        self.server.asked[0].answer(200, (b"Content-Type", b"text/html"), body=b"<p>one two two")
        self.assertEqual(self.answer().body, b"<p>one two two")
        self.assertEqual(self.status(GET.replace(b"origin/", b"origin:25/")), 403)
        shown = self.shown()
        self.assertEqual((shown["documents"], shown["words"], shown["left_out"]), (1, 3, {}))
        self.assertEqual(shown["top"][0], {"word": "two", "count": 2})

    def test_stopped(self) -> None:
        """A proxy that stops leaves nothing to be counted."""
        self.serve(count_words=CountWords(documents=1))
        self.proxy.startService()
        self.send(GET)
        self.server.asked[0].answer(200, (b"Content-Type", b"text/html"), body=b"one")
        self.proxy.stopService()
        self.assertEqual(self.shown()["words"], 0)
