"""Pages looked at again, in a web in memory."""

import os
from collections.abc import Sequence
from errno import EMFILE
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.dates import http_date
from netkit.tools.web.checking import Checked, Checks, Verdict, check
from netkit.tools.web.fetching import FetchError, Got, Wanted
from netkit.tools.web.remembering import Memory
from netkit.tools.web.urls import parse
from tests.tools.web.webs import Web

A, B, C = "http://a.example/", "http://b.example/", "http://c.example/"
NEW, CHANGED, UNCHANGED, ERROR = Verdict.NEW, Verdict.CHANGED, Verdict.UNCHANGED, Verdict.ERROR
DATE = (b"Last-Modified", http_date(1))


def tag(text: str) -> tuple[bytes, bytes]:
    """Return the field of an entity tag."""
    return b"ETag", text.encode()


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a web, and remember in a file."""
        self.web = Web()
        self.clock = Clock()
        self.clock.advance(1000)
        self.told: list[str] = []
        self.found: list[Checked] = []
        self.file = Path(self.mktemp())
        self.memory = Memory(self.file, self.clock, self.told.append, own=True)

    def begin(self, urls: Sequence[str], **kw: Any) -> Deferred[frozenset[Verdict]]:
        """Look at pages."""
        self.found = []
        self.web.asked = []
        self.clock.advance(10)
        checks = Checks(agent=self.web, clock=self.clock, now=self.clock.seconds, **kw)
        wanted = [parse(url) for url in urls]
        return Deferred.fromCoroutine(check(checks, self.memory, wanted, self.found.append))

    def check(self, *urls: str, **kw: Any) -> list[Verdict]:
        """Look at pages that answer at once, and return what was told."""
        verdicts = self.successResultOf(self.begin(urls, **kw))
        told = [each.verdict for each in self.found]
        self.assertEqual(verdicts, frozenset(told))
        self.assertEqual(self.web.bodies, 0)
        return told

    def conditions(self, number: int = -1) -> dict[bytes, bytes]:
        """Return the fields that a request had."""
        headers = dict(self.web.asked[number].headers)
        return {name: value for name, value in headers.items() if name.startswith(b"If-")}


class CheckTests(Case):
    def test_validators(self) -> None:
        """Row 20: a page is new, then unchanged by a 304 as often as one asks, then changed."""
        self.web.page(A, b"one", tag('"1"'), DATE)
        self.assertEqual(self.check(A), [NEW])
        self.assertEqual(self.conditions(), {})
        for _ in range(3):
            self.assertEqual(self.check(A), [UNCHANGED])
            self.assertEqual(self.found[0].status, 304)
            self.assertEqual(
                self.conditions(), {b"If-None-Match": b'"1"', b"If-Modified-Since": http_date(1)}
            )
        self.web.page(A, b"two", tag('"2"'), DATE)
        self.assertEqual(self.check(A), [CHANGED])
        self.assertEqual(self.check(A), [UNCHANGED])
        self.assertEqual(self.conditions()[b"If-None-Match"], b'"2"')

    def test_caches(self) -> None:
        """No cache on the way answers for the server, unless somebody wants that."""
        self.web.says(A, b"one")
        for headers, value in (((), b"max-age=0"), (((b"cache-control", b"x"),), b"x")):
            self.check(A, headers=headers)
            sent = [each[1] for each in self.web.asked[0].headers]
            self.assertEqual(sent, [value])

    def test_when(self) -> None:
        """It is remembered since when a page is as it is, and when it was looked at."""
        self.web.page(A, b"one", tag('"1"'))
        self.check(A)
        first = self.clock.seconds()
        for _ in range(2):
            self.check(A)
            [found] = self.found
            assert found.page is not None
            self.assertEqual((found.page.changed, found.page.looked), (first, self.clock.seconds()))

    def test_no_validators(self) -> None:
        """Where the server gives none the content tells."""
        self.web.says(A, b"one")
        self.assertEqual(self.check(A), [NEW])
        self.assertEqual(self.check(A), [UNCHANGED])
        self.assertEqual(self.conditions(), {})
        self.web.says(A, b"two")
        self.assertEqual(self.check(A), [CHANGED])

    def test_conditions_ignored(self) -> None:
        """A server that sends the same again, with other validators, has changed nothing."""
        self.web.says(A, b"one", 200, tag('"1"'))
        self.check(A)
        self.web.says(A, b"one", 200, tag('"2"'))
        self.assertEqual(self.check(A), [UNCHANGED])
        self.check(A)
        self.assertEqual(self.conditions()[b"If-None-Match"], b'"2"')

    def test_weak(self) -> None:
        """A page that is the same by its weak tag is unchanged though its bytes are others."""
        self.web.says(A, b"one", 200, tag('W/"1"'))
        self.check(A)
        self.web.says(A, b"two", 200, tag('W/"1"'))
        self.assertEqual(self.check(A), [UNCHANGED])
        self.web.says(A, b"two", 200, tag('"1"'))
        self.assertEqual(self.check(A), [UNCHANGED])
        self.web.says(A, b"three", 200, tag('"1"'))
        self.assertEqual(self.check(A), [CHANGED])

    def test_304_without_validators(self) -> None:
        """A 304 that repeats no validator makes none forgotten, and one that adds one is heard."""
        self.web.page(A, b"one", tag('"1"'))
        self.check(A)
        for fields in ((), (tag('"1"'), DATE), (), (tag('"other"'),)):
            self.web.says(A, b"", 304, *fields)
            self.assertEqual(self.check(A), [UNCHANGED])
        self.check(A)
        self.assertEqual(
            self.conditions(), {b"If-None-Match": b'"1"', b"If-Modified-Since": http_date(1)}
        )

    def test_errors(self) -> None:
        """Neither a status that says no, nor a body cut off, nor no answer makes anything forgotten."""
        self.web.page(A, b"one", tag('"1"'))
        self.check(A)
        before = self.file.read_bytes()

        def refuse(_: Wanted) -> Got:
            raise FetchError("nobody is there")

        def exhausted(_: Wanted) -> Got:
            raise OSError(EMFILE, os.strerror(EMFILE))

        def cut(_: Wanted) -> Got:
            return self.web.got(A, b"two", 200, tag('"2"'), cut=True)

        for answer, words in (
            (lambda _: self.web.got(A, b"", 404), f"{A} answered 404 Reason"),
            (lambda _: self.web.got(A, b"", 500), f"{A} answered 500 Reason"),
            (lambda _: self.web.got(A, b"", 302), f"{A} answered 302 Reason"),
            (refuse, "nobody is there"),
            (exhausted, f"{A}: too many open files"),
            (cut, f"{A}: the server left"),
        ):
            self.web.pages[A] = answer
            self.assertEqual(self.check(A), [ERROR])
            self.assertEqual(self.found[0].error, words)
            self.assertEqual(self.file.read_bytes(), before)
        self.web.page(A, b"one", tag('"1"'))
        self.assertEqual(self.check(A), [UNCHANGED])
        self.assertEqual(self.found[0].status, 304)

    def test_304_unasked(self) -> None:
        """A 304 to who knows no version is an error."""
        self.web.says(A, b"", 304)
        self.assertEqual(self.check(A), [ERROR])
        self.assertFalse(self.file.exists())
        self.web.says(A, b"one")
        self.check(A)
        self.web.says(A, b"", 304)
        self.assertEqual(self.check(A), [ERROR])

    def test_redirected(self) -> None:
        """A page is remembered by the URL that was asked for, wherever it was found."""
        self.web.pages[A] = lambda _: self.web.got(B, b"one", 200, tag('"1"'))
        self.assertEqual(self.check(A), [NEW])
        [found] = self.found
        assert found.page is not None
        self.assertEqual((str(found.url), found.page.place), (A, B))
        self.web.pages[A] = lambda _: self.web.got(B, b"", 304)
        self.assertEqual(self.check(A), [UNCHANGED])

    def test_redirected_elsewhere(self) -> None:
        """A 304 of another page than the one that is known is asked again, without a condition."""
        self.web.page(A, b"one", tag('"1"'))
        self.check(A)
        for body, verdict in ((b"one", UNCHANGED), (b"two", CHANGED)):
            elsewhere = B if verdict is UNCHANGED else C

            def answer(wanted: Wanted, url: str = elsewhere, body: bytes = body) -> Got:
                if any(name == b"If-None-Match" for name, _ in wanted.headers):
                    return self.web.got(url, b"", 304, tag('"1"'))
                return self.web.got(url, body, 200, tag('"1"'))

            self.web.pages[A] = answer
            self.assertEqual(self.check(A), [verdict])
            self.assertEqual(len(self.web.asked), 2)
            self.assertEqual(self.check(A), [UNCHANGED])
            self.assertEqual(len(self.web.asked), 1)

    def test_too_long(self) -> None:
        """A page that has more than it may have is an error, before all of it was read."""
        self.web.says(A, b"12345")
        self.assertEqual(self.check(A, most_content=5), [NEW])
        self.web.says(A, b"123456")
        self.assertEqual(self.check(A, most_content=5), [ERROR])
        self.assertEqual(self.found[0].error, f"{A}: it has more than 5 bytes")

    def test_nothing_to_remember_in(self) -> None:
        """Where nothing can be remembered nobody is asked."""
        self.file.mkdir()
        self.failureResultOf(self.begin([A]), OSError)
        self.assertEqual(self.web.asked, [])

    def test_rubbish(self) -> None:
        """A file of rubbish makes every page new, with one line."""
        self.web.says(A, b"one")
        self.file.write_bytes(b"\x00")
        self.assertEqual(self.check(A), [NEW])
        self.assertEqual(len(self.told), 1)
        self.assertEqual(self.check(A), [UNCHANGED])


@frozen
class Turn:
    """What a server does, and has, when it is asked the next time."""

    content: int
    tag: str
    dated: bool
    heeds: bool
    fails: bool

    def fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the validators of the page, which are those of the content."""
        tags = (tag(f'{self.tag}"{self.content}"'),) if self.tag != "none" else ()
        dates = ((b"Last-Modified", http_date(self.content)),) if self.dated else ()
        return tags + dates

    def is_known(self, headers: dict[bytes, bytes]) -> bool:
        """Return whether the conditions are about this content, as a server judges them."""
        fields = dict(self.fields())
        known = headers.get(b"If-None-Match")
        if known is not None and b"ETag" in fields:
            return known.removeprefix(b"W/") == fields[b"ETag"].removeprefix(b"W/")
        date = headers.get(b"If-Modified-Since")
        return date is not None and date == fields.get(b"Last-Modified")


_turns = st.builds(
    Turn,
    st.integers(1, 3),
    st.sampled_from(["", "W/", "none"]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([False, False, False, True]),
)


class AnyServerTests(Case):
    @settings(deadline=None, max_examples=60)
    @given(st.lists(_turns, max_size=12))
    def test_the_truth(self, turns: list[Turn]) -> None:
        """Whatever validators a server has from one time to the next, a change is told once."""
        self.setUp()
        last = None
        for turn in turns:
            self.web.pages[A] = partial(self.serve, turn)
            [verdict] = self.check(A)
            if turn.fails:
                self.assertEqual(verdict, ERROR)
                continue
            same = UNCHANGED if last == turn.content else CHANGED
            self.assertEqual(verdict, NEW if last is None else same)
            last = turn.content

    def serve(self, turn: Turn, wanted: Wanted) -> Got:
        """Answer as the turn says."""
        if turn.fails:
            return self.web.got(A, b"sorry", 503, tag('"sorry"'))
        if turn.heeds and turn.is_known(dict(wanted.headers)):
            return self.web.got(A, b"", 304, *turn.fields())
        return self.web.got(A, b"%d" % turn.content, 200, *turn.fields())


class ManyTests(Case):
    def setUp(self) -> None:
        """Have pages that answer when they are told to."""
        super().setUp()
        self.waiting: dict[str, Deferred[Got]] = {}
        self.cancelled: list[str] = []

    def slow(self, url: str) -> None:
        """Have a page that answers later."""

        def wait(_: Wanted) -> Deferred[Got]:
            self.waiting[url] = Deferred(lambda _: self.cancelled.append(url))
            return self.waiting[url]

        self.web.pages[url] = wait

    def answer(self, url: str, body: bytes = b"x") -> None:
        """Let a page answer."""
        self.waiting.pop(url).callback(self.web.got(url, body))

    def shown(self) -> list[str]:
        """Return the URLs of what was told."""
        return [str(each.url) for each in self.found]

    def test_in_order(self) -> None:
        """What is found is told in the order of the question, as soon as it can be."""
        for url in (A, B, C):
            self.slow(url)
        running = self.begin([A, B, C])
        self.answer(C)
        self.assertEqual(self.shown(), [])
        self.answer(A)
        self.assertEqual(self.shown(), [A])
        self.answer(B)
        self.assertEqual(self.shown(), [A, B, C])
        self.successResultOf(running)

    def test_so_many_at_once(self) -> None:
        """No more pages are asked for at once than the limit says."""
        urls = [f"http://{number}.example/" for number in range(6)]
        for url in urls:
            self.slow(url)
        running = self.begin(urls, jobs=2)
        for done in range(6):
            self.assertEqual(len(self.waiting), min(2, 6 - done))
            self.answer(next(reversed(self.waiting)))
        self.successResultOf(running)
        self.assertEqual(self.shown(), urls)

    def test_thousands(self) -> None:
        """Any number of pages that answer at once, or not at all, is one after the other."""
        urls = [f"http://{number}.example/" for number in range(3000)]
        for url in urls:
            self.web.says(url, b"x", 200 if url < "http://2" else 404)
        self.check(*urls, jobs=3)
        self.assertEqual(self.shown(), urls)

    def test_one_fails(self) -> None:
        """A page that cannot be had is in no other's way."""
        self.web.says(A, b"", 500)
        self.web.says(B, b"two")
        self.assertEqual(self.check(A, B, jobs=1), [ERROR, NEW])
        self.assertEqual(self.check(B, A, jobs=1), [UNCHANGED, ERROR])

    def test_twice(self) -> None:
        """A page that is named twice is asked for once, and told twice."""
        self.web.says(A, b"one")
        self.web.says(B, b"two")
        self.assertEqual(self.check(A, B, A), [NEW, NEW, NEW])
        self.assertEqual(len(self.web.asked), 2)

    def test_too_slow(self) -> None:
        """A page that never ends is given up, whatever comes of it."""
        self.slow(A)
        self.web.says(B, b"x")
        running = self.begin([A, B], longest_seconds=5)
        self.clock.advance(5)
        self.successResultOf(running)
        self.assertEqual([each.verdict for each in self.found], [ERROR, NEW])
        self.assertEqual(self.found[0].error, f"{A}: it took longer than 5 s")
        self.assertEqual(self.cancelled, [A])

    def test_interrupted(self) -> None:
        """What was told before somebody interrupts is remembered; what goes on is ended."""
        self.web.says(A, b"one")
        for url in (B, C):
            self.slow(url)
        running = self.begin([A, B, C])
        self.assertEqual(self.shown(), [A])
        running.cancel()
        self.failureResultOf(running)
        self.assertEqual(sorted(self.cancelled), [B, C])
        self.assertEqual(self.check(A), [UNCHANGED])
        self.web.says(B, b"two")
        self.assertEqual(self.check(B), [NEW])

    def test_nothing_more(self) -> None:
        """Who interrupts ends what goes on, and nothing else is begun."""
        for url in (A, B, C):
            self.slow(url)
        running = self.begin([A, B, C], jobs=1)
        running.cancel()
        self.failureResultOf(running)
        self.assertEqual((self.cancelled, len(self.web.asked)), ([A], 1))

    def test_not_told(self) -> None:
        """What could not be told is not taken for told: it is new the next time as well."""
        for url in (A, B):
            self.web.says(url, b"one")

        def tell(checked: Checked) -> None:
            if str(checked.url) == B:
                raise BrokenPipeError

        checks = Checks(agent=self.web, clock=self.clock, now=self.clock.seconds)
        wanted = [parse(A), parse(B)]
        ended = Deferred.fromCoroutine(check(checks, self.memory, wanted, tell))
        self.failureResultOf(ended, BrokenPipeError)
        self.assertEqual(self.check(A, B), [UNCHANGED, NEW])

    def test_a_mistake(self) -> None:
        """A mistake of ours is nobody's verdict: it ends the whole."""

        def wrong(_: Wanted) -> Got:
            raise ZeroDivisionError

        self.web.pages[A] = self.web.pages[B] = wrong
        self.failureResultOf(self.begin([A, B]), ZeroDivisionError)
