"""`count_words` and the mount `words` as an operator writes them, and a proxy of them."""

from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netkit.config.load import load
from netkit.services.kind import World
from netkit.services.proxy import KIND
from netkit.services.proxy.words import mount
from netkit.services.proxy.words.settings import CountWords
from tests.http.fakes import recorded

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
        file = Path(self.mktemp()).absolute()
        text = f'[service.proxy]\nlisten = "tcp:8001"\n{proxy}\n{SITE}{site}'
        file.write_text(text)
        plan, document = load(str(file))
        problems = [str(problem).replace(f"{file}:", "") for problem in sorted(document.problems)]
        return {service.name: service for service in plan.services}, problems

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
        [mount] = plans["web"].settings.mount
        self.assertEqual(mount.settings.stop_words, ("this",))

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


class ProxyTests(SynchronousTestCase):
    def test_words(self) -> None:
        """A running proxy offers its tally where it counts, and the kind the mount that shows it."""
        self.assertIn(mount.KIND, KIND.mounts)
        clock = MemoryReactorClock()
        world = World(clock, clock, recorded([]))
        for setting, counts in ((False, False), (True, True), (CountWords(), True)):
            proxy: Any = KIND.build(KIND.settings(count_words=setting), {}, world)
            self.assertEqual(proxy.words is not None, counts)
            handler = mount.KIND.build(mount.KIND.settings(), proxy, world)
            self.assertTrue(callable(handler))
