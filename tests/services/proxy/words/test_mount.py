"""The mount `words` (row 11 of where netkit comes from)."""

import json
import re
from typing import Any

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Headers, Response
from netkit.services.kind import World
from netkit.services.proxy.words.mount import KIND, Settings
from netkit.services.proxy.words.page import Report, as_html
from netkit.services.proxy.words.tally import Reason, Tally
from tests.http.fakes import asked, content, field, recorded


@frozen
class Proxy:
    """As much of a running proxy as is shown."""

    words: Tally | None


class MountCase(SynchronousTestCase):
    """A mount that shows a tally."""

    def setUp(self) -> None:
        """Show a tally that has seen nothing."""
        self.tally = Tally(1000)
        self.show(self.tally)

    def show(self, tally: Tally | None, **kw: Any) -> None:
        """Show `tally` by these settings."""
        self.clock = MemoryReactorClock()
        world = World(self.clock, self.clock, recorded([]))
        self.handler = KIND.build(Settings(**kw), Proxy(tally), world)

    def got(self, path: str = "/", *, method: bytes = b"GET", headers: Headers = ()) -> Response:
        """Return the answer for `path`."""
        response = self.handler(
            asked(path.partition("?")[0], method, target=path.encode(), headers=headers)
        )
        assert isinstance(response, Response)
        return response

    def page(self) -> str:
        """Return the page."""
        return content(self.got()).decode()

    def data(self) -> Any:
        """Return the figures as JSON has them."""
        return json.loads(content(self.got("/?format=json")))

    def shown(self) -> list[tuple[str, str]]:
        """Return the words on the page, and how often it says they were seen."""
        return re.findall(r"<li><span>(.*?)</span>.*?<b>(.*?)</b></li>", self.page())


class Pages(MountCase):
    """The page."""

    def test_off(self) -> None:
        """Where nothing is counted, the page says what to write, and JSON that it is so."""
        self.show(None)
        self.assertIn("count_words = true", self.page())
        self.assertEqual(self.data(), {"counting": False})

    def test_empty(self) -> None:
        """Where nothing came, the page says how to begin, and that HTTPS is not looked into."""
        self.assertIn("No page has gone through", self.page())
        self.assertIn("tunnels", self.page())

    def test_no_words(self) -> None:
        """Where all was left out, the page says why."""
        self.tally.left_out[Reason.CODING] = 1
        self.assertIn("No word", self.page())
        self.assertIn("<b>1</b> page left out: came in a coding that is not read", self.page())

    def test_words(self) -> None:
        """The most frequent words stand on the page, with bars as long as they are frequent."""
        self.tally.documents = 1
        self.tally.add(["one", "two", "two", "two", "two"] + ["many"] * 1234, 1_234_567)
        page = self.page()
        self.assertEqual(self.shown(), [("many", "1\u202f234"), ("two", "4"), ("one", "1")])
        self.assertIn("#bar0 { width: 100.00%; }", page)
        self.assertIn("#bar2 { width: 0.08%; }", page)
        self.assertIn("<b>1\u202f239</b> words", page)
        self.assertIn("<b>1</b> page", page)
        self.assertIn("<b>1.2\u202fMB</b> of HTML", page)
        self.assertIn("tunnels, and those are not looked into", page)

    def test_notes(self) -> None:
        """The page says how much was left out, in whole or in part, and why."""
        self.tally.add(["word"], 10)
        self.tally.left_out.update({Reason.CODING: 2, Reason.BUSY: 3})
        self.tally.in_part.update({Reason.CUT: 1, Reason.MALFORMED: 4})
        self.tally.forgotten = 12_500
        page = self.page()
        self.assertIn("<b>5</b> left out", page)
        for note in (
            "<b>2</b> pages left out: came in a coding",
            "<b>3</b> pages left out: came while",
            "<b>1</b> page counted in part: broke off before its end.",
            "<b>4</b> pages counted in part: were not in the coding that they claimed.",
            "<b>12\u202f500</b> rare words forgotten",
        ):
            self.assertIn(note, page)

    def test_settings(self) -> None:
        """So many words are shown, of some length, and none of those that are named."""
        self.show(self.tally, top=2, least_length=3, stop_words=("The", "e\u0301te\u0301"))
        self.tally.add(
            ["the"] * 9 + ["été"] * 8 + ["of"] * 7 + ["one"] * 3 + ["two"] * 2 + ["six"], 1
        )
        self.assertEqual(self.shown(), [("one", "3"), ("two", "2")])

    def test_fresh(self) -> None:
        """The figures are a second old at most."""
        self.assertEqual(self.data()["words"], 0)
        self.tally.add(["word"], 1)
        self.assertEqual(self.data()["words"], 0)
        self.clock.advance(1)
        self.assertEqual(self.data()["words"], 1)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.text(), min_size=1, max_size=5))
    def test_escaped(self, words: list[str]) -> None:
        """No word makes anything of the page but text, nor lets the browser run anything."""
        response = as_html(Report(1, 1, 1, 0, {}, {}, tuple((word, 1) for word in words)))
        body = content(response).decode().partition("<body>")[2]
        tags = set(re.findall(r"<[^>]*>", body)) - {f'<i id="bar{n}">' for n in range(5)}
        self.assertLessEqual(
            {tag.split()[0].strip("<>/") for tag in tags},
            {"h1", "p", "div", "b", "ol", "li", "span", "i", "body", "html"},
        )
        policy = field(response, b"Content-Security-Policy") or b""
        self.assertIn(b"default-src 'none'", policy)
        self.assertNotIn(b"unsafe", policy)
        self.assertNotIn("style=", body)


class Answers(MountCase):
    """What else there is."""

    def test_json(self) -> None:
        """The same in JSON."""
        self.tally.documents = 2
        self.tally.add(["b", "a", "b"], 30)
        self.tally.left_out[Reason.BUSY] = 1
        self.tally.in_part[Reason.LONG] = 1
        self.assertEqual(
            self.data(),
            {
                "counting": True,
                "documents": 2,
                "words": 3,
                "bytes": 30,
                "forgotten": 0,
                "left_out": {"busy": 1},
                "in_part": {"long": 1},
                "top": [{"word": "b", "count": 2}, {"word": "a", "count": 1}],
            },
        )

    def test_choice(self) -> None:
        """JSON is for who asks for it, by the query or by Accept; the query wins."""
        json_type, html_type = b"application/json", b"text/html; charset=utf-8"
        for target, accept, expected in (
            ("/", b"application/json", json_type),
            ("/", b"text/html, application/json;q=0.9", html_type),
            ("/", b"*/*", html_type),
            ("/?format=html", b"application/json", html_type),
            ("/?format=json", b"text/html", json_type),
            ("/?format=x", b"text/html", html_type),
        ):
            response = self.got(target, headers=((b"Accept", accept),))
            self.assertEqual(field(response, b"Content-Type"), expected)
            self.assertEqual(field(response, b"Vary"), b"Accept")

    def test_paths(self) -> None:
        """The mount is one page, with or without a slash; nothing is below it."""
        self.assertEqual(self.got("").status, 200)
        self.assertEqual(self.got("/x").status, 404)

    def test_methods(self) -> None:
        """It is read."""
        self.assertEqual(self.got(method=b"HEAD").status, 200)
        self.assertEqual(self.got(method=b"POST").status, 405)
