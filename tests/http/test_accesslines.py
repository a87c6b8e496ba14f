"""An exchange as a line, in Apache's combined form and as JSON."""

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.accesslines import KNOWN_HEADS, SHOWN_BYTES, Contents, Form, Line, lines
from netkit.http.accesslog import Exchange
from netkit.http.messages import Headers, Request, RequestHead
from netkit.net.peer import host
from tests.http.fakes import asked

# As log readers have it: no field knows of escapes.
COMBINED = re.compile(
    r"(?P<host>\S+) (?P<identity>\S+) (?P<user>\S+)"
    r" \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]"
    r' "(?P<method>[^ "]+) (?P<target>[^ "]+) (?P<version>[^ "]+)" (?P<status>\d{3}) (?P<sent>\d+)'
    r' "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)"'
)
KEYS = [
    "time",
    "client",
    "method",
    "host",
    "target",
    "version",
    "status",
    "sent",
    "received",
    "seconds",
    "referrer",
    "agent",
    "whole",
    "tls",
]
NOW = 971211336.25  # 10 October 2000, 20:55:36 UTC
RUDE = st.binary() | st.text('"\\\r\n\x1b\x7f\x9b [x', max_size=20).map(
    lambda text: text.encode("latin-1")
)


class Wall:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.asked = 0

    def __call__(self) -> float:
        """Return the seconds since 1970."""
        self.asked += 1
        return self.now


def maker(form: Form, *, query: bool = False) -> Line:
    """Return what makes the lines of one form."""
    return lines(form, Contents(Wall(), lambda request: host(request.client.peer), query))


def exchange(request: Request, *, whole: bool = True, received: int | None = None) -> Exchange:
    """Return a request with an answer."""
    return Exchange(request, 200, 2326, 0.0154, whole, received)


def headers(agent: bytes, referrer: bytes = b"http://r/p") -> Headers:
    """Return the fields that a line shows."""
    return ((b"Referer", referrer), (b"User-Agent", agent))


def parsed(request: Request, **kw: Any) -> dict[str, Any]:
    """Return what the JSON line of `request` says."""
    found: dict[str, Any] = json.loads(maker(Form.JSON, **kw)(exchange(request)))
    return found


class Combined(SynchronousTestCase):
    def line(self, request: Request, form: Form = Form.COMBINED, **kw: Any) -> str:
        """Return the line of `request`, without its end."""
        line = maker(form, **kw)(exchange(request))
        self.assertEqual(line[-1], "\n")
        return line[:-1]

    def fields(self, request: Request, **kw: Any) -> dict[str, str]:
        """Return the fields of the line, as its readers find them."""
        match = COMBINED.fullmatch(self.line(request, **kw))
        assert match is not None
        return match.groupdict()

    def test_whole(self) -> None:
        """A line is Apache's, to the letter."""
        request = asked(target=b"/apache_pb.gif", headers=headers(b"Mozilla/4.08 [en] (Win98; I)"))
        self.assertEqual(
            self.line(request),
            '192.0.2.7 - - [10/Oct/2000:20:55:36 +0000] "GET /apache_pb.gif HTTP/1.1" 200 2326'
            ' "http://r/p" "Mozilla/4.08 [en] (Win98; I)"',
        )

    def test_absent(self) -> None:
        """What is not there is a dash."""
        for request in (asked(), asked(headers=headers(b"", b""))):
            self.assertTrue(self.line(request).endswith('200 2326 "-" "-"'))

    def test_timed(self) -> None:
        """The timed form says behind it how long the answer took, and that it was cut."""
        line = maker(Form.TIMED)
        self.assertTrue(line(exchange(asked())).endswith(' "-" "-" 0.015400\n'))
        self.assertTrue(line(exchange(asked(), whole=False)).endswith(' "-" "-" 0.015400 cut\n'))
        self.assertRegex(self.line(asked(), Form.TIMED), f"^{COMBINED.pattern} ")

    def test_hostile(self) -> None:
        """Ends of lines, escapes, quotes and blanks forge no field and reach no terminal."""
        rude = b'a" 200 1 "\r\n1.2.3.4 - - \x1b[2J\x9b2J\\" \xe2\x80\xae'
        request = asked(method=b"G T", target=b"/" + rude, headers=headers(rude, rude))
        fields = self.fields(request)
        self.assertEqual(
            fields["agent"],
            r"a\x22 200 1 \x22\x0d\x0a1.2.3.4 - - \x1b[2J\x9b2J\x5c\x22 \xe2\x80\xae",
        )
        self.assertEqual((fields["status"], fields["method"]), ("200", r"G\x20T"))

    @settings(deadline=None, max_examples=200)
    @given(RUDE, RUDE, RUDE, RUDE, st.booleans())
    def test_any_bytes(
        self, method: bytes, target: bytes, referrer: bytes, agent: bytes, query: bool
    ) -> None:
        """Whatever is sent, a line has the form, one end, and printable ASCII only."""
        request = asked(method=method, target=target, headers=headers(agent, referrer))
        fields = self.fields(request, query=query)
        self.assertTrue(all(value.isascii() and value.isprintable() for value in fields.values()))
        self.assertEqual((fields["status"], fields["sent"]), ("200", "2326"))

    @settings(deadline=None, max_examples=100)
    @given(st.binary(min_size=1, max_size=SHOWN_BYTES))
    def test_unmistakable(self, agent: bytes) -> None:
        """From what is written the bytes that were sent can be told."""
        shown = self.fields(asked(headers=headers(agent)))["agent"]
        self.assertEqual(shown.encode().decode("unicode_escape").encode("latin-1"), agent)

    def test_long(self) -> None:
        """Long values are cut, so that a line is bounded."""
        long = b"\x1b" * 8192
        request = asked(method=long, target=long, headers=headers(long, long))
        fields = self.fields(request)
        for name in ("method", "target", "referrer", "agent"):
            self.assertEqual(fields[name], r"\x1b" * SHOWN_BYTES + "...")
        self.assertLess(len(maker(Form.JSON)(exchange(request))), 5 * 5 * SHOWN_BYTES)

    def test_secrets(self) -> None:
        """Credentials, cookies, queries, fragments and users in URLs do not stand in any form."""
        fields = (
            (b"Authorization", b"Basic SECRET"),
            (b"Cookie", b"SECRET"),
            (b"Proxy-Authorization", b"SECRET"),
            (b"Referer", b"http://SECRET:SECRET@r/p?SECRET#SECRET"),
        )
        target = b"http://" + b"SECRET" * 200 + b":SECRET@h/a?token=SECRET#SECRET"
        for form in Form:
            for query in (False, True):
                line = self.line(asked(target=target, headers=fields), form, query=query)
                self.assertNotIn("SECRET", line)
                self.assertIn("http://h/a", line)
                self.assertIn("http://r/p", line)

    def test_query(self) -> None:
        """A query is shown where that is wanted, less what looks secret."""
        request = asked(target=b"/a?b=c&token=SECRET&d", headers=headers(b"", b"http://r/?x=y"))
        self.assertEqual(self.fields(request)["target"], "/a")
        self.assertEqual(self.fields(request, query=True)["target"], "/a?b=c&token=-&d")
        self.assertEqual(self.fields(request, query=True)["referrer"], "http://r/")
        long = asked(target=b"/?a=" + b"b" * 5000 + b"&token=SECRET")
        self.assertEqual(len(self.fields(long, query=True)["target"]), SHOWN_BYTES + 3)

    def test_other_peers(self) -> None:
        """The client is whoever is said to be it."""
        line = lines(Form.COMBINED, Contents(Wall(), lambda _: "2001:db8::1"))
        self.assertTrue(line(exchange(asked())).startswith("2001:db8::1 - - ["))


class Json(SynchronousTestCase):
    def test_whole(self) -> None:
        """A line is an object with the keys that are documented, numbers as numbers."""
        request = asked(headers=headers(b'a "b" \\ c'))
        line = maker(Form.JSON)(exchange(request, received=7))
        self.assertEqual((line.count("\n"), line[-1]), (1, "\n"))
        found = json.loads(line)
        self.assertEqual(
            found,
            {
                "time": "2000-10-10T20:55:36.250Z",
                "client": "192.0.2.7",
                "method": "GET",
                "host": request.head.authority.decode(),
                "target": "/",
                "version": "HTTP/1.1",
                "status": 200,
                "sent": 2326,
                "received": 7,
                "seconds": 0.0154,
                "referrer": "http://r/p",
                "agent": r'a "b" \x5c c',
                "whole": True,
                "tls": False,
            },
        )
        self.assertEqual(list(found), KEYS)

    def test_absent(self) -> None:
        """What is not there is null, and an answer that was cut is not whole."""
        found = json.loads(maker(Form.JSON)(exchange(asked(), whole=False)))
        self.assertEqual((found["referrer"], found["agent"], found["received"]), (None,) * 3)
        self.assertIs(found["whole"], False)
        self.assertEqual(parsed(asked(headers=headers(b"", b"")))["agent"], "")

    @settings(deadline=None, max_examples=200)
    @given(RUDE, RUDE, RUDE, RUDE)
    def test_any_bytes(self, method: bytes, target: bytes, referrer: bytes, agent: bytes) -> None:
        """Whatever is sent, a line is an object with every key, printable as text, too."""
        request = asked(method=method, target=target, headers=headers(agent, referrer))
        found = parsed(request, query=True)
        self.assertEqual(list(found), KEYS)
        for value in found.values():
            text = str(value)
            self.assertTrue(text.isascii() and text.isprintable())


class Remembering(SynchronousTestCase):
    def test_seconds(self) -> None:
        """The time is that of the wall clock, also when it is set back."""
        wall = Wall()
        line = lines(Form.COMBINED, Contents(wall, lambda _: "-"))
        shown = []
        for now in (NOW, NOW + 0.7, NOW + 0.8, NOW - 1, 0.0, -0.5):
            wall.now = now
            match = COMBINED.match(line(exchange(asked())))
            assert match is not None
            shown.append(match["time"].split(":", 1)[1])
        self.assertEqual(shown[:4], ["20:55:36 +0000"] * 2 + ["20:55:37 +0000", "20:55:35 +0000"])
        self.assertEqual(wall.asked, 6)

    def test_months(self) -> None:
        """Months have their English names, whatever the locale."""
        wall = Wall()
        line = lines(Form.COMBINED, Contents(wall, lambda _: "-"))
        months = []
        for month in range(12):
            wall.now = 86400 * (14 + 30.5 * month)
            months.append(line(exchange(asked())).split("/")[1])
        self.assertEqual(" ".join(months), "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")

    def test_heads(self) -> None:
        """Heads that come again, and heads that take another's place in memory, are told apart."""
        line = maker(Form.COMBINED)
        kept = [asked(target=b"/kept/%d" % number) for number in range(8)]
        for number in range(3 * KNOWN_HEADS):
            self.assertIn(f" /{number} ", line(exchange(asked(target=b"/%d" % number))))
            again = number % 8
            self.assertIn(f" /kept/{again} ", line(exchange(kept[again])))

    def test_shared(self) -> None:
        """Requests that share a head have their own figures."""
        head = RequestHead(method=b"GET", target=b"/")
        request = Request(head=head, body=asked().body, client=asked().client)
        line = maker(Form.COMBINED)
        for sent in (1, 2):
            self.assertIn(f" 404 {sent} ", line(Exchange(request, 404, sent, 0.0, True)))
