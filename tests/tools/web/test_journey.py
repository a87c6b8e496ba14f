"""A request on its way to the final answer."""

import gzip
import zlib
from base64 import b64encode
from typing import cast

import brotli  # type: ignore[import-untyped]  # it has no types
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import AskError, Problem
from netkit.http.basicauth import Credentials
from netkit.http.connectway import ConnectWay
from netkit.http.framing import Framing
from netkit.http.messages import ResponseHead, Stream
from netkit.net.dial import TlsWay
from netkit.tools.web.fetching import CutError, FetchError, Proxying
from netkit.tools.web.journey import MOST_LOGINS, framing
from netkit.tools.web.logins import Given
from netkit.tools.web.urls import Url, parse
from tests.tools.web.asked import Visitor, answer, body_of, leading, pieces

MOSHEZ = Credentials("moshez", "sesame")
BASIC = (b"WWW-Authenticate", b'Basic realm="r"')
DIGEST = (b"WWW-Authenticate", b'Digest realm="r", nonce="n", qop="auth"')
STALE = (b"WWW-Authenticate", b'Digest realm="r", nonce="m", qop="auth", stale=true')
LOST = AskError(Problem.CONNECTION_TERMINATED, "the server left")
REFUSED = AskError(Problem.CONNECTION_REFUSED, "refused", untouched=True)


class Knows:
    """A login that tells how often it was asked."""

    def __init__(self, *passwords: str) -> None:
        self.passwords = passwords
        self.asked: list[tuple[str, str, int]] = []

    def __call__(self, url: Url, realm: str, refused: int) -> Credentials | None:
        """See `fetching.Login`."""
        self.asked.append((str(url), realm, refused))
        known = refused < len(self.passwords)
        return Credentials("moshez", self.passwords[refused]) if known else None


def basic(login: str) -> str:
    """Return the value of Authorization for a login."""
    return f"Basic {b64encode(login.encode()).decode()}"


class FetchTests(SynchronousTestCase):
    """One exchange."""

    def test_plain(self) -> None:
        """A page is asked for with the fields of an agent, and comes with its head."""
        visitor = Visitor(answer(404, (b"X", b"y"), body=b"page"))
        got = self.successResultOf(visitor.fetch("http://a.example/b?c"))
        [sent] = visitor.sent
        self.assertEqual(sent.line, "GET /b?c HTTP/1.1")
        self.assertEqual(str(sent.way), "a.example:80")
        self.assertEqual(sent.fields["Host"], "a.example")
        self.assertEqual((got.head.status, str(got.url)), (404, "http://a.example/b?c"))
        self.assertEqual((got.framing, got.history, got.coding), (Framing.LENGTH, (), b""))
        self.assertEqual(self.successResultOf(body_of(got)), b"page")

    def test_error(self) -> None:
        """What went wrong is told with the URL."""
        error = self.failureResultOf(Visitor(REFUSED).fetch("http://a/b"), FetchError).value
        self.assertEqual((str(error), error.problem), ("http://a/b: refused", REFUSED.problem))
        self.assertTrue(error.untouched)

    def test_framing(self) -> None:
        """How a body ends is known from its head."""
        for head, right in (
            (ResponseHead(status=200, length=None), Framing.CHUNKED),
            (ResponseHead(status=200, length=None, until_close=True), Framing.CLOSE),
            (ResponseHead(status=200, length=0), Framing.LENGTH),
            (ResponseHead(status=304), Framing.NO_BODY),
        ):
            self.assertIs(framing(b"GET", head), right)
            self.assertIs(framing(b"HEAD", head), Framing.NO_BODY)

    def test_cut(self) -> None:
        """A body that is cut off is told as such, with the URL, and closed."""
        closed: list[bool] = []
        body = pieces(b"a", b"b", cut="the server left", ending=lambda: closed.append(True))
        got = self.successResultOf(Visitor(answer(body=body)).fetch("http://a/"))
        error = self.failureResultOf(body_of(got), CutError).value
        self.assertEqual((str(error), closed), ("http://a/: the server left", [True]))


class RedirectTests(SynchronousTestCase):
    """Answers that lead elsewhere."""

    def test_followed(self) -> None:
        """Redirects are followed, and the steps are told."""
        visitor = Visitor(leading("/b"), leading("http://c.example/d"), answer(body=b"x"))
        got = self.successResultOf(visitor.fetch("http://a.example/"))
        self.assertEqual(str(got.url), "http://c.example/d")
        self.assertEqual(
            [str(step.url) for step in got.history], ["http://a.example/", "http://a.example/b"]
        )
        self.assertEqual(
            [sent.fields["Host"] for sent in visitor.sent], ["a.example"] * 2 + ["c.example"]
        )

    def test_for_ever(self) -> None:
        """One that never ends does, with a line that says so."""
        visitor = Visitor(*[leading("/")] * 4, redirects=3)
        error = self.failureResultOf(visitor.fetch("http://a/"), FetchError).value
        self.assertEqual(str(error), "http://a/ was not found behind 3 redirects")

    def test_not_followed(self) -> None:
        """Where none shall be followed it is the answer."""
        got = self.successResultOf(Visitor(leading("/"), redirects=0).fetch("http://a/"))
        self.assertEqual(got.head.status, 302)

    def test_body_again(self) -> None:
        """A body is made anew each time that it is sent."""
        made: list[int] = []

        def body() -> Stream:
            made.append(1)
            return pieces(b"da", b"ta")

        visitor = Visitor(leading("/b", 307), answer(401, BASIC), answer(), login=Given(MOSHEZ))
        self.successResultOf(visitor.fetch("http://a/", b"POST", body=body))
        self.assertEqual([sent.body for sent in visitor.sent], [b"data"] * 3)

    def test_secrets(self) -> None:
        """Neither a login nor a cookie nor the caller's own fields go to another origin."""
        headers = ((b"X-Key", b"k"), (b"Accept-Language", b"de"))
        visitor = Visitor(
            answer(401, BASIC),
            leading("https://a.example/", 302, (b"Set-Cookie", b"x=1")),
            leading("http://b.example/"),
            leading("http://a.example/c"),
            answer(),
        )
        self.successResultOf(visitor.fetch("http://u:p@a.example/", headers=headers))
        secrets = [{"Authorization", "Cookie", "X-Key"} & set(sent.fields) for sent in visitor.sent]
        first, second, over_tls, other, back = secrets
        self.assertEqual((first, second), ({"X-Key"}, {"X-Key", "Authorization"}))
        self.assertEqual((over_tls, other), ({"Cookie"}, set()))
        self.assertEqual(back, {"Authorization", "Cookie", "X-Key"})
        self.assertTrue(all(sent.fields["Accept-Language"] == "de" for sent in visitor.sent))

    def test_no_cookies(self) -> None:
        """Without cookies none is kept."""
        visitor = Visitor(leading("/", 302, (b"Set-Cookie", b"x=1")), answer(), cookies=False)
        self.successResultOf(visitor.fetch("http://a/"))
        self.assertNotIn("Cookie", visitor.sent[1].fields)


class LoginTests(SynchronousTestCase):
    """Servers that want a password."""

    def test_basic(self) -> None:
        """A login is told to who asks for it, and from then on at once, to that server alone."""
        knows = Knows("sesame")
        visitor = Visitor(answer(401, BASIC), answer(), answer(), answer(), login=knows)
        for url in ("http://a/b", "http://a/c", "http://b/"):
            self.successResultOf(visitor.fetch(url))
        self.assertEqual(
            [sent.fields.get("Authorization") for sent in visitor.sent],
            [None, basic("moshez:sesame"), basic("moshez:sesame"), None],
        )
        self.assertEqual(knows.asked, [("http://a/b", "r", 0)])

    def test_wrong(self) -> None:
        """A wrong one is asked for again; in the end the 401 is the answer."""
        knows = Knows("one", "two")
        visitor = Visitor(*[answer(401, BASIC, body=b"no")] * 3, login=knows)
        got = self.successResultOf(visitor.fetch("http://a/"))
        self.assertEqual(got.head.status, 401)
        self.assertEqual([refused for _, _, refused in knows.asked], [0, 1, 2])
        self.assertEqual(self.successResultOf(body_of(got)), b"no")

    def test_for_ever(self) -> None:
        """Who knows passwords without end is stopped."""
        passwords = [str(number) for number in range(100)]
        visitor = Visitor(*[answer(401, BASIC)] * (MOST_LOGINS + 1), login=Knows(*passwords))
        self.assertEqual(self.successResultOf(visitor.fetch("http://a/")).head.status, 401)

    def test_stale(self) -> None:
        """Of a nonce that is too old nobody is asked."""
        knows = Knows("sesame")
        visitor = Visitor(answer(401, DIGEST), answer(401, STALE), answer(), login=knows)
        self.successResultOf(visitor.fetch("http://a/"))
        self.assertEqual(len(knows.asked), 1)
        self.assertIn('nonce="m"', visitor.sent[2].fields["Authorization"])

    def test_unknown_scheme(self) -> None:
        """What cannot be proved here is an answer like any other."""
        knows = Knows("sesame")
        visitor = Visitor(answer(401, (b"WWW-Authenticate", b"Negotiate")), login=knows)
        self.assertEqual(self.successResultOf(visitor.fetch("http://a/")).head.status, 401)
        self.assertEqual(knows.asked, [])

    def test_own_login(self) -> None:
        """The login of who asked is for the server that was asked first."""
        visitor = Visitor(leading("http://b/"), answer(401, BASIC), own_login=Given(MOSHEZ))
        self.assertEqual(self.successResultOf(visitor.fetch("http://a/")).head.status, 401)

    def test_callers_own(self) -> None:
        """Who says Authorization is asked for no login."""
        knows = Knows("sesame")
        visitor = Visitor(answer(401, BASIC), login=knows)
        self.successResultOf(visitor.fetch("http://a/", headers=((b"authorization", b"x"),)))
        self.assertEqual(knows.asked, [])

    def test_colon(self) -> None:
        """A user that Basic cannot name is told."""
        visitor = Visitor(answer(401, BASIC), login=Given(Credentials("a:b", "c")))
        self.failureResultOf(visitor.fetch("http://a/"), FetchError)

    def test_shown(self) -> None:
        """What is heard of the exchange has no password in it."""
        visitor = Visitor(answer(401, BASIC), answer(), login=Given(MOSHEZ))
        self.successResultOf(visitor.fetch("http://a/"))
        self.assertEqual(visitor.heard.answers, [401, 200])
        self.assertIn(b"Authorization: Basic *\r\n", visitor.heard.asked[1])


class RetryTests(SynchronousTestCase):
    """What is tried again."""

    def test_lost(self) -> None:
        """A request that got no answer is sent again, later each time."""
        visitor = Visitor(LOST, REFUSED, answer(body=b"x"), retries=2)
        fetching = visitor.fetch("http://a/")
        visitor.clock.advance(1)
        self.assertNoResult(fetching)
        visitor.clock.advance(2)
        self.assertEqual(self.successResultOf(fetching).head.status, 200)
        self.assertEqual([seconds for seconds, _ in visitor.heard.waited], [1, 2])
        self.assertEqual(visitor.heard.waited[0][1], "http://a/: the server left")

    def test_unavailable(self) -> None:
        """A server that says when is asked then; the last answer stands."""
        later = answer(503, (b"Retry-After", b"5"), body=b"later")
        visitor = Visitor(later, later, retries=1)
        fetching = visitor.fetch("http://a/")
        visitor.clock.advance(4)
        self.assertNoResult(fetching)
        visitor.clock.advance(1)
        self.assertEqual(self.successResultOf(fetching).head.status, 503)

    def test_not_again(self) -> None:
        """What may have been done is not asked for again, nor what stays as it is."""
        bad = AskError(Problem.TLS_CERTIFICATE_ERROR, "bad", untouched=True)
        for method, reply in ((b"POST", LOST), (b"GET", bad)):
            fetching = Visitor(reply, answer(), retries=3).fetch("http://a/", method)
            self.failureResultOf(fetching, FetchError)

    def test_never_by_default(self) -> None:
        """Unless asked to, an agent tries once."""
        self.failureResultOf(Visitor(LOST, answer()).fetch("http://a/"), FetchError)

    def test_body_that_fails(self) -> None:
        """A body that cannot be sent is told as that."""
        fetching = Visitor(answer()).fetch("http://a/", b"PUT", body=lambda: pieces(cut="shorter"))
        error = self.failureResultOf(fetching, FetchError).value
        self.assertEqual(str(error), "what is to be sent to http://a/: shorter")


class CodingTests(SynchronousTestCase):
    """Bodies in a coding."""

    def got(
        self, coding: bytes, body: bytes, status: int = 200, *, decode: bool = True
    ) -> tuple[bytes, bytes]:
        """Return what is got of a body, and the coding that was taken away."""
        visitor = Visitor(answer(status, (b"Content-Encoding", coding), body=body))
        got = self.successResultOf(visitor.fetch("http://a/", decode=decode))
        reading = body_of(got)
        visitor.clock.advance(0)
        return self.successResultOf(reading), got.coding

    def test_codings(self) -> None:
        """Content is decoded, also where it is coded twice."""
        text = b"The quick brown fox. " * 99
        for coding, body in {
            b"gzip": gzip.compress(text),
            b"deflate": zlib.compress(text),
            b"br": brotli.compress(text),
            b"deflate, gzip": gzip.compress(zlib.compress(text)),
        }.items():
            self.assertEqual(self.got(coding, body), (text, coding))

    def test_left(self) -> None:
        """What is not known, not wanted, or a part, stays as it is."""
        packed = gzip.compress(b"x")
        self.assertEqual(self.got(b"zstd", b"x"), (b"x", b""))
        self.assertEqual(self.got(b"gzip, gzip, gzip, gzip", b"x"), (b"x", b""))
        self.assertEqual(self.got(b"gzip", packed, decode=False), (packed, b""))
        self.assertEqual(self.got(b"gzip", packed, 206), (packed, b""))

    def test_cut(self) -> None:
        """A body that ends in the middle of its coding, or is not in it, is no whole one."""
        for body in (gzip.compress(b"x" * 99)[:-3], b"no gzip"):
            visitor = Visitor(answer(200, (b"Content-Encoding", b"gzip"), body=body))
            got = self.successResultOf(visitor.fetch("http://a/"))
            self.failureResultOf(body_of(got), CutError)

    def test_others_have_their_turn(self) -> None:
        """A few bytes that become very many leave time for others."""
        bomb = gzip.compress(bytes(3_000_000))
        visitor = Visitor(answer(200, (b"Content-Encoding", b"gzip"), body=bomb))
        reading = body_of(self.successResultOf(visitor.fetch("http://a/")))
        self.assertNoResult(reading)
        visitor.clock.advance(0)
        self.assertEqual(len(self.successResultOf(reading)), 3_000_000)


class ProxyTests(SynchronousTestCase):
    """Servers behind a proxy."""

    def test_http(self) -> None:
        """A proxy is asked by the whole URL, and told who asks; the server is not."""
        visitor = Visitor(answer(), environment={"http_proxy": "http://u:p@proxy:3128"})
        self.successResultOf(visitor.fetch("http://a/b"))
        [sent] = visitor.sent
        self.assertEqual((sent.line, str(sent.way)), ("GET http://a/b HTTP/1.1", "proxy:3128"))
        self.assertEqual(sent.fields["Proxy-Authorization"], basic("u:p"))
        self.assertIn(b"Proxy-Authorization: Basic *", visitor.heard.asked[0])

    def test_https(self) -> None:
        """A server with TLS is reached by a tunnel, and knows nothing of the proxy's login."""
        visitor = Visitor(answer(), proxy=parse("https://u:p@proxy"))
        self.successResultOf(visitor.fetch("https://a/b"))
        [sent] = visitor.sent
        self.assertEqual(sent.line, "GET /b HTTP/1.1")
        self.assertNotIn("Proxy-Authorization", sent.fields)
        way = cast("TlsWay", sent.way)
        tunnel = cast("ConnectWay", way.below)
        self.assertEqual((way.server_name, tunnel.authority), ("a", "a:443"))
        self.assertIsInstance(tunnel.proxy, TlsWay)

    def test_none(self) -> None:
        """No proxy is asked where none shall be."""
        environment = {"http_proxy": "proxy"}
        visitor = Visitor(answer(), environment=environment, proxy=Proxying.NONE)
        self.successResultOf(visitor.fetch("http://a/"))
        self.assertEqual(str(visitor.sent[0].way), "a:80")

    def test_equal_ways(self) -> None:
        """Two requests to one server go the same way, so that they share a connection."""
        for proxy in (Proxying.NONE, parse("http://proxy")):
            visitor = Visitor(answer(), answer(), proxy=proxy)
            for _ in range(2):
                self.successResultOf(visitor.fetch("https://a/"))
            self.assertEqual(visitor.sent[0].way, visitor.sent[1].way)
