"""Mounts behind a login, and those who try to get past it."""

import os
from base64 import b64encode
from shutil import which
from typing import Any
from unittest import skipUnless

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutput
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.http.messages import Response
from netkit.passwords import Cost, hashed
from netkit.services.kind import NoOptions, World
from netkit.services.site.auth import AuthRule
from netkit.services.site.fields import FieldRule
from netkit.services.site.service import Settings, Site
from tests.http.fakes import content, field, recorded
from tests.listening import listening
from tests.services.site.sites import Built, says

HASH = str(hashed("sesame", Cost(ln=9)))
USERS = {"alice": HASH, "ren\u00e9": HASH, "jos\u00e9": str(hashed("s\u00e9same", Cost(ln=9)))}


def login(user: str, password: str) -> bytes:
    """Return what a browser sends."""
    return b"Basic " + b64encode(f"{user}:{password}".encode())


class AuthCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Build a site with an open mount and two that are not."""
        self.built = Built(
            Settings(
                (says("open"), says("private", "/private"), says("inbox", "/inbox")),
                users=USERS,
                auth=(
                    AuthRule("/private", users=("alice", "rene\u0301"), realm="the vault"),
                    AuthRule("/inbox", open_methods=("GET", "HEAD")),
                ),
                headers=(FieldRule(set={"X-Rule": "yes"}),),
            )
        )

    def ask(self, target: str = "/private/x", **kw: Any) -> Deferred[Response]:
        """Ask, and leave the threads idle."""
        return self.built.ask(target, **kw)

    def got(self, target: str = "/private/x", **kw: Any) -> Response:
        """Ask, and let the threads work."""
        answer = self.ask(target, **kw)
        self.built.reactor.work()
        return self.successResultOf(answer)

    def lines(self) -> list[str]:
        """Return the log."""
        return [formatEvent(event) for event in self.built.events]


class LoginTests(AuthCase):
    def test_open(self) -> None:
        """What is not protected asks nobody, and its answers may be repeated."""
        answer = self.got("/x")
        self.assertEqual((content(answer), answer.repeatable), (b"open  /x", True))

    def test_asked(self) -> None:
        """Without a login a visitor is asked for one; rules for headers hold there too."""
        answer = self.got()
        self.assertEqual((answer.status, answer.repeatable), (401, False))
        asking = b'Basic realm="the vault", charset="UTF-8"'
        self.assertEqual(field(answer, b"WWW-Authenticate"), asking)
        self.assertEqual(field(answer, b"X-Rule"), b"yes")
        self.assertEqual(self.lines(), [])

    def test_let_in(self) -> None:
        """With the right one the mount answers; no answer is repeated to others."""
        for _ in range(2):
            answer = self.got(authorization=login("alice", "sesame"))
            self.assertEqual((content(answer), answer.repeatable), (b"private /private /x", False))

    def test_remembered(self) -> None:
        """The second request of a client costs no work at all."""
        self.got(authorization=login("alice", "sesame"))
        self.successResultOf(self.ask(authorization=login("alice", "sesame")))
        self.assertEqual(self.built.reactor.works, [])

    def test_somebody_else(self) -> None:
        """Who is known, but not one of those whom the rule names, gets 403."""
        self.assertEqual(self.got(authorization=login("jos\u00e9", "s\u00e9same")).status, 403)
        answer = self.got(
            "/inbox", method=b"POST", authorization=login("jose\u0301", "s\u00e9same")
        )
        self.assertEqual(answer.status, 200)

    def test_composed(self) -> None:
        """A name in a rule is the same in one piece and in two."""
        for user in ("ren\u00e9", "rene\u0301"):
            self.assertEqual(self.got(authorization=login(user, "sesame")).status, 200)

    def test_methods(self) -> None:
        """Methods that are said to be open need no login; all others do, known or not."""
        for method, status in (
            (b"GET", 200),
            (b"HEAD", 200),
            (b"POST", 401),
            (b"get", 401),
            (b"BREW", 401),
        ):
            self.assertEqual(self.got("/inbox", method=method).status, status)
        self.assertTrue(self.got("/inbox").repeatable)


class AttackTests(AuthCase):
    def test_ways_of_writing(self) -> None:
        """However its path is written, a mount is protected; what is not there is not open."""
        for target in (
            "/private",
            "/private/",
            "/%70rivate",
            "/./private/x",
            "/x/../private/x",
            "/private//x",
            "http://example.org/private",
            "/private?x",
            "/private/../private",
            "/%2e/private",
            "//private",
            "/x/..//private",
        ):
            self.assertEqual(self.got(target).status, 401)
        for target in ("/PRIVATE", "/private%20", "/private;x"):
            self.assertTrue(content(self.got(target)).startswith(b"open"))

    def test_malformed(self) -> None:
        """What is no login is asked again, and costs no work."""
        for value in (
            b"",
            b"Basic",
            b"Basic ",
            b"Basic !!!",
            b"Basic " + b64encode(b"nocolon"),
            b"Basic " + b64encode(b"a:\xff"),
            b"Basic " + b"A" * 100_000,
            b"Bearer x",
            b"Digest username=alice",
            login("alice", "ses\x00ame"),
            login("alice", "sesame") + b"=",
        ):
            answer = self.ask(authorization=value)
            self.assertEqual(self.successResultOf(answer).status, 401)
        self.assertEqual((self.built.reactor.works, self.lines()), ([], []))

    def test_names_cannot_be_told(self) -> None:
        """A name that nobody has costs the same one work, and the same answer, as a wrong password."""
        answers = []
        for number, user in enumerate(("alice", "nobody", "")):
            answer = self.ask(
                authorization=login(user, "wrong"), peer=IPv4Address("TCP", f"192.0.2.{number}", 1)
            )
            self.assertNoResult(answer)
            self.assertEqual(self.built.reactor.work(), 1)
            answers.append(self.successResultOf(answer))
        self.assertEqual(answers, [answers[0]] * 3)
        self.assertEqual(answers[0].status, 401)
        self.assertEqual(
            self.lines(),
            [
                f'auth failed for "{user}" from 192.0.2.{number}'
                for number, user in enumerate(("alice", "nobody", ""))
            ],
        )

    def test_forged_lines(self) -> None:
        """A name cannot write a line of its own, or another's address."""
        self.got(authorization=login('x" from 10.0.0.1 "', "y"))
        self.assertEqual(
            self.lines(), [r'auth failed for "x\x22 from 10.0.0.1 \x22" from 192.0.2.7']
        )

    def test_many_by_one(self) -> None:
        """One address that guesses gets a few guesses, and then 429, while others get in."""
        tries = [self.ask(authorization=login("alice", f"guess{number}")) for number in range(50)]
        late = [self.successResultOf(each).status for each in tries[10:]]
        self.assertEqual(late, [429] * 40)
        self.assertLessEqual(len(self.built.reactor.works), 2)
        answer = self.ask(
            authorization=login("alice", "sesame"), peer=IPv4Address("TCP", "192.0.2.8", 1)
        )
        self.assertEqual(self.built.reactor.work(), 11)
        self.assertEqual(self.successResultOf(answer).status, 200)
        self.assertEqual([self.successResultOf(each).status for each in tries[:10]], [401] * 10)

    def test_many_by_many(self) -> None:
        """However many guess at once, few threads work, a bounded number waits, others get 503."""
        tries = [
            self.ask(
                authorization=login("alice", f"guess{number}"),
                peer=IPv4Address("TCP", f"10.0.{number % 200}.1", 1),
            )
            for number in range(500)
        ]
        self.assertEqual(len(self.built.reactor.works), 2)
        waiting = [each for each in tries if not each.called]
        self.assertEqual(len(waiting), 66)
        busy = self.successResultOf(tries[-1])
        self.assertEqual((busy.status, field(busy, b"Retry-After")), (503, b"10"))
        self.assertEqual(self.successResultOf(self.ask("/x")).status, 200)
        self.built.reactor.work()
        self.assertEqual({self.successResultOf(each).status for each in waiting}, {401})

    def test_who_leaves(self) -> None:
        """A guess of somebody who has left before its turn is never made."""
        tries = [
            self.ask(
                authorization=login("alice", f"guess{number}"),
                peer=IPv4Address("TCP", f"10.0.{number}.1", 1),
            )
            for number in range(20)
        ]
        for each in tries:
            each.addErrback(lambda _: None)
            each.cancel()
        self.assertEqual(self.built.reactor.work(), 2)


@skipUnless(which("curl"), "curl is not installed")
class CurlTests(TestCase):
    async def test_curl(self) -> None:
        """A curl with the password gets in, from a real reactor's threads, and no other does."""
        network: Any = reactor
        settings = Settings((says("private"),), users=USERS, auth=(AuthRule("/"),))
        site = Site(settings, {}, World(network, network, recorded([])))
        url = f"http://127.0.0.1:{listening(self, site.factory(NoOptions()))}/x"
        options = (
            "-sS",
            "--max-time",
            "10",
            "--noproxy",
            "*",
            "-w",
            "%{http_code}",
            "-o",
            "/dev/null",
        )
        for user, status in (
            ("alice:sesame", b"200"),
            ("jos\u00e9:s\u00e9same", b"200"),
            ("alice:wrong", b"401"),
            ("nobody:sesame", b"401"),
        ):
            said = await getProcessOutput("curl", (*options, "--user", user, url), env=os.environ)
            self.assertEqual(said, status)
