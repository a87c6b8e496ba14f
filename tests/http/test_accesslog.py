"""Lines of the access log."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.accesslog import (
    SHOWN_CHARACTERS,
    Exchange,
    access_log,
    shown_url,
)
from netkit.http.messages import Request
from tests.http.fakes import asked, recorded


def line(request: Request, *, whole: bool = True) -> str:
    """Return the line that stands for `request`."""
    events: list[LogEvent] = []
    write = access_log(recorded(events))
    write(Exchange(request, 200, 12, 0.0154, whole))
    [event] = events
    return formatEvent(event)


class Lines(SynchronousTestCase):
    def test_whole(self) -> None:
        """A line has peer, request, status, bytes, referrer, agent and seconds."""
        request = asked("/a", headers=((b"Referer", b"http://r/p"), (b"User-Agent", b'a "b" \\ c')))
        self.assertEqual(
            line(request),
            '192.0.2.7 "GET /a HTTP/1.1" 200 12 "http://r/p" "a \\"b\\" \\\\ c" 0.015',
        )

    def test_cut(self) -> None:
        """An answer that was not sent to its end is marked; absent fields are dashes."""
        self.assertEqual(
            line(asked(), whole=False), '192.0.2.7 "GET / HTTP/1.1" 200 12 "-" "-" 0.015 cut'
        )

    def test_secrets(self) -> None:
        """Credentials, cookies, queries and users in URLs do not stand in it."""
        secrets = (
            (b"Authorization", b"Basic SECRET"),
            (b"Cookie", b"SECRET"),
            (b"Referer", b"http://SECRET:SECRET@r/p?SECRET#SECRET"),
        )
        request = asked(target=b"http://SECRET@h/a?SECRET", headers=secrets)
        self.assertEqual(
            line(request), '192.0.2.7 "GET http://h/a HTTP/1.1" 200 12 "http://r/p" "-" 0.015'
        )

    @settings(deadline=None, max_examples=100)
    @given(st.binary(), st.binary())
    def test_rubbish(self, target: bytes, agent: bytes) -> None:
        """Whatever a peer sends, a line is one line of printable characters of bounded length."""
        written = line(asked(target=target, headers=((b"User-Agent", agent),)))
        self.assertTrue(written.replace("\xa0", "").replace("\xad", "").isprintable())
        self.assertRegex(written, r'^192\.0\.2\.7 "GET .* HTTP/1\.1" 200 12 "-" ".*" 0\.015$')

    def test_long(self) -> None:
        """Long values are cut."""
        self.assertLess(len(line(asked(target=b"/" * 10_000))), SHOWN_CHARACTERS + 100)

    def test_urls(self) -> None:
        """An at sign in a path is no user."""
        self.assertEqual(shown_url(b"http://h/a@b"), "http://h/a@b")
        self.assertEqual(shown_url(b"//u:p@h/a"), "//h/a")
        self.assertEqual(shown_url(b"/a//b@c"), "/a//b@c")
