"""A URL becomes a file."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Problem
from netkit.http.framing import Framing
from netkit.http.messages import Headers, ResponseHead
from netkit.tools.getting.endings import Ending
from netkit.tools.getting.partial import Partial
from netkit.tools.getting.saving import GO_ON, RefusedError, Saved, Saving, save
from netkit.tools.progress import Silent
from netkit.tools.web.fetching import CutError, FetchError, Got, Wanted
from netkit.tools.web.surroundings import Surroundings
from netkit.tools.web.urls import parse
from tests.tools.web.asked import pieces

URL = parse("http://a/file")
WHOLE = b"0123456789"
TAG = b'"v1"'


class Site:
    """An agent for one file, whose answers `replies` make in turn; `asked` has what they were asked."""

    def __init__(self, *replies: Callable[[], Got]) -> None:
        self.replies = list(replies)
        self.asked: list[Headers] = []
        self.open = 0

    async def fetch(self, wanted: Wanted) -> Got:
        """See `fetching.Agent`."""
        self.asked.append(wanted.headers)
        got = self.replies.pop(0)()
        self.open += 1
        return got

    def close(self) -> None:
        """See `fetching.Agent`."""

    def _closed(self) -> None:
        self.open -= 1

    def says(
        self,
        *parts: bytes,
        status: int = 200,
        cut: bool = False,
        length: int | None = 10,
        **fields: bytes,
    ) -> None:
        """Have one more answer."""
        headers = tuple((name.replace("_", "-").encode(), value) for name, value in fields.items())
        head = ResponseHead(status=status, reason=b"Reason", headers=headers, length=length)

        def got() -> Got:
            body = pieces(*parts, cut="the server left" if cut else "", ending=self._closed)
            framing = Framing.CHUNKED if length is None else Framing.LENGTH
            return Got(url=URL, head=head, body=Cutting(body), framing=framing)

        self.replies.append(got)

    def fails(self, error: FetchError) -> None:
        """Have no answer once."""

        def got() -> Got:
            raise error

        self.replies.append(got)


class Cutting:
    """A body whose failure is told as an agent does."""

    def __init__(self, body: Any) -> None:
        self.length = body.length
        self.close = body.close
        self._body = body

    async def __aiter__(self) -> Any:
        """Yield the pieces."""
        try:
            async for piece in self._body:
                yield piece
        except Exception as error:
            raise CutError(str(error)) from error


class SaveTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a place for the file."""
        folder = Path(self.mktemp())
        folder.mkdir()
        self.path = folder / "file"
        self.site = Site()
        self.clock = Clock()
        self.said: list[str] = []

    def saving(self, **kw: Any) -> Deferred[Saved]:
        """Save; the place is left when that is over."""
        self.file = Partial(self.path)
        wanted = Wanted(url=URL, headers=kw.pop("headers", ()))
        order = Saving(
            wanted=wanted,
            meter=Silent(),
            remark=self.said.append,
            around=Surroundings({}, lambda: 0.0, lambda: 1.0, lambda: ""),
            **kw,
        )

        def over(result: Any) -> Any:
            if isinstance(result, Saved):
                self.file.finish()
            self.file.leave()
            return result

        return Deferred.fromCoroutine(save(self.site, self.file, order, self.clock)).addBoth(over)

    def have(self, content: bytes, validator: bytes = TAG, length: int | None = 10) -> None:
        """Have a part from an earlier time."""
        part = Partial(self.path)
        part.begin(URL, validator, length)
        part.write(content)
        part.leave()

    @property
    def parts(self) -> list[str]:
        """What is there."""
        return sorted(each.name for each in self.path.parent.iterdir())

    def test_whole(self) -> None:
        """What came whole is in its place, and its digest is told."""
        self.site.says(WHOLE[:4], WHOLE[4:], etag=TAG)
        saved = self.successResultOf(self.saving(digest=hashlib.sha256))
        self.assertEqual(self.path.read_bytes(), WHOLE)
        self.assertEqual(saved.digest, hashlib.sha256(WHOLE).hexdigest())
        self.assertEqual((saved.ending, self.site.open), (Ending.LENGTH, 0))
        self.assertEqual(self.parts, ["file"])

    def test_refused(self) -> None:
        """An error of the server's is no file, and leaves an earlier one alone."""
        self.path.write_bytes(b"old")
        self.site.says(b"not here", status=404)
        error = self.failureResultOf(self.saving(), RefusedError).value
        self.assertEqual(error.head.status, 404)
        self.assertEqual((self.path.read_bytes(), self.parts), (b"old", ["file"]))

    def test_goes_on(self) -> None:
        """What was cut off is gone on with, where the server says that it is the same."""
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        self.site.says(WHOLE[4:7], status=206, cut=True, content_range=b"bytes 4-9/10")
        self.site.says(WHOLE[7:], status=206, content_range=b"bytes 7-9/10")
        saving = self.saving(digest=hashlib.sha256)
        self.clock.advance(1)
        self.clock.advance(2)
        saved = self.successResultOf(saving)
        self.assertEqual(self.path.read_bytes(), WHOLE)
        self.assertEqual(saved.digest, hashlib.sha256(WHOLE).hexdigest())
        conditions = [dict(fields) for fields in self.site.asked]
        self.assertEqual(conditions[1], {b"Range": b"bytes=4-", b"If-Range": TAG})
        self.assertEqual(conditions[2], {b"Range": b"bytes=7-", b"If-Range": TAG})
        self.assertEqual(self.site.open, 0)

    def test_short_part(self) -> None:
        """A server that gives less of the rest than there is, is asked for more."""
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        self.site.says(WHOLE[4:7], status=206, length=3, content_range=b"bytes 4-6/10")
        self.site.says(WHOLE[7:], status=206, length=3, content_range=b"bytes 7-9/10")
        saving = self.saving()
        self.clock.pump((1, 2))
        self.successResultOf(saving)
        self.assertEqual(self.path.read_bytes(), WHOLE)

    def test_changed(self) -> None:
        """What has changed meanwhile is fetched from the start, which is said."""
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        self.site.says(b"abcdefghij", etag=b'"v2"')
        saving = self.saving(digest=hashlib.sha256)
        self.clock.advance(1)
        saved = self.successResultOf(saving)
        self.assertEqual(self.path.read_bytes(), b"abcdefghij")
        self.assertEqual(saved.digest, hashlib.sha256(b"abcdefghij").hexdigest())
        self.assertTrue(any("has changed" in line for line in self.said), self.said)

    def test_unfit(self) -> None:
        """A part that does not fit is asked for no more."""
        self.have(WHOLE[:4])
        self.site.says(WHOLE[3:], status=206, content_range=b"bytes 3-9/10")
        self.site.says(WHOLE)
        self.successResultOf(self.saving(resume=True))
        self.assertEqual((self.path.read_bytes(), self.site.asked[1]), (WHOLE, ()))

    def test_without_validator(self) -> None:
        """Without a validator it begins anew each time."""
        self.site.says(WHOLE[:4], cut=True)
        self.site.says(WHOLE)
        saving = self.saving()
        self.clock.advance(1)
        self.successResultOf(saving)
        self.assertEqual((self.path.read_bytes(), self.site.asked), (WHOLE, [(), ()]))

    def test_gives_up(self) -> None:
        """In the end it gives up; what there is stays for another time."""
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        for _ in range(GO_ON):
            self.site.says(status=206, cut=True, content_range=b"bytes 4-9/10")
        saving = self.saving()
        self.clock.pump((1, 2, 4))
        self.failureResultOf(saving, CutError)
        self.assertEqual(self.parts, ["file.part", "file.part.json"])

    def test_never_again(self) -> None:
        """Where it shall not try again it does not."""
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        self.failureResultOf(self.saving(retries=0), CutError)

    def test_unreachable_meanwhile(self) -> None:
        """A server that is away for a moment is asked again, once something had come."""
        away = FetchError("http://a/file: refused", Problem.CONNECTION_REFUSED)
        self.site.fails(away)
        self.failureResultOf(self.saving(), FetchError)
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        self.site.fails(away)
        self.site.says(WHOLE[4:], status=206, content_range=b"bytes 4-9/10")
        saving = self.saving()
        self.clock.pump((1, 2))
        self.successResultOf(saving)
        self.assertEqual(self.path.read_bytes(), WHOLE)

    def test_resumed(self) -> None:
        """What an earlier time has left is gone on with, digest and all."""
        self.have(WHOLE[:4])
        self.site.says(WHOLE[4:], status=206, content_range=b"bytes 4-9/10")
        saved = self.successResultOf(self.saving(resume=True, digest=hashlib.sha256))
        self.assertEqual(self.path.read_bytes(), WHOLE)
        self.assertEqual(saved.digest, hashlib.sha256(WHOLE).hexdigest())

    def test_all_there(self) -> None:
        """Where all was there already it is put in its place."""
        self.have(WHOLE)
        self.site.says(status=416, content_range=b"bytes */10")
        self.successResultOf(self.saving(resume=True))
        self.assertEqual(self.path.read_bytes(), WHOLE)

    def test_nothing_to_resume(self) -> None:
        """Where nothing was left it is said, and fetched from the start."""
        self.site.says(WHOLE)
        self.successResultOf(self.saving(resume=True))
        self.assertEqual(len(self.said), 1)

    def test_error_while_resuming(self) -> None:
        """An error of the server's leaves the part for another time."""
        self.have(WHOLE[:4])
        self.site.says(status=503)
        self.failureResultOf(self.saving(resume=True), RefusedError)
        self.assertEqual(self.parts, ["file.part", "file.part.json"])

    def test_limit(self) -> None:
        """A limit ends it, and that is all of it then."""
        self.site.says(WHOLE[:4], WHOLE[4:])
        saved = self.successResultOf(self.saving(at_most=7))
        self.assertEqual((self.path.read_bytes(), saved.ending), (WHOLE[:7], Ending.LIMIT))

    def test_unasked_part(self) -> None:
        """A part where all was asked for is not taken for the whole; one that was asked for is kept."""
        self.site.says(WHOLE[4:], status=206, content_range=b"bytes 4-9/10")
        self.failureResultOf(self.saving(), FetchError)
        self.site.says(WHOLE[4:], status=206, length=6, content_range=b"bytes 4-9/10")
        self.successResultOf(self.saving(headers=((b"Range", b"bytes=4-"),)))
        self.assertEqual(self.path.read_bytes(), WHOLE[4:])

    def test_cancelled(self) -> None:
        """Who is interrupted leaves what can be gone on with."""
        self.site.says(WHOLE[:4], cut=True, etag=TAG)
        saving = self.saving()
        saving.cancel()
        self.failureResultOf(saving)
        self.assertEqual(self.parts, ["file.part", "file.part.json"])
        self.assertEqual((self.site.open, self.clock.getDelayedCalls()), (0, []))
