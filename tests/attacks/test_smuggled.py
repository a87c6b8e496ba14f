"""Requests through netkit to servers of others: they see what netkit holds valid, and nothing else.

Each vector is said on a connection of its own, with an honest request before it and one to be smuggled
behind it; then another client asks on what connections the pool has.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from twisted.trial.unittest import SynchronousTestCase

from tests.attacks.fronts import Front, before
from tests.attacks.honest import HONEST, get
from tests.attacks.origins import ORIGINS, Origin, Seen
from tests.http.test_smuggling import (
    CHUNKS,
    CODINGS,
    LENGTHS,
    LINES,
    OTHERS,
    SMUGGLED,
    STATUSES,
    TARGETS,
    chunked,
)

_NOT_SPOKEN = tuple(vector for _, vector in OTHERS if not vector.endswith(b": 1048577\r\n\r\n"))
REFUSED: Mapping[str, bytes] = MappingProxyType(
    {
        **LENGTHS,
        **CODINGS,
        **LINES,
        **TARGETS,
        **{f"other {number}": vector for number, vector in enumerate(_NOT_SPOKEN)},
    }
)


class Smuggled(SynchronousTestCase):
    """Vectors for one origin, by both proxies; what both refuse alike, by one where that will do."""

    origin: str
    both = False

    @contextmanager
    def fronts(self) -> Iterator[tuple[Origin, Sequence[Front]]]:
        """Run the origin, and both proxies before it."""
        with ORIGINS[self.origin]() as origin, before(self, origin.port) as fronts:
            yield origin, fronts

    def refused(self, front: Front, name: str, vector: bytes) -> list[Seen]:
        """Assert that `vector` is refused behind an honest request; return what may be seen."""
        before = f"/before?{name.encode().hex()}"
        said = get(path=before.encode()).replace(b"<", front.base)
        got = front.ask(said + front.rebased(vector) + SMUGGLED)
        self.assertEqual((2, 200), (len(got), got[0].status), (name, got))
        self.assertIn(got[1].status, STATUSES, name)
        return [front.got(before), *self.own(front, name)]

    def served(self, front: Front, name: str) -> list[Seen]:
        """Assert that a vector is served as it is; return what is seen of it."""
        vector = HONEST[name]
        last = f"/last?{name.encode().hex()}"
        got = front.ask(vector.at(front.base) + front.leaving(last))
        statuses = [200] * (len(vector.seen) + 1)
        self.assertEqual(statuses, [each.status for each in got], name)
        self.assertEqual(last.encode(), got[-1].body, name)
        seen = [Seen(line, front.host, body) for line, body in vector.seen]
        return [*seen, front.got(last), *self.own(front, name)]

    def own(self, front: Front, name: str) -> list[Seen]:
        """Assert that the next client gets its own answer; return what is seen of it."""
        path = f"/own?{name.encode().hex()}"
        (answer,) = front.ask(front.leaving(path))
        self.assertEqual((200, path.encode()), (answer.status, answer.body), name)
        return [front.got(path)]

    def check(self) -> None:
        """Assert that the origin sees what is valid of all vectors, and nothing else."""
        expected: list[Seen] = []
        with self.fronts() as (origin, fronts):
            for front in fronts:
                for name, vector in REFUSED.items() if self.both or front.base else ():
                    expected += self.refused(front, name, vector)
                for name in HONEST:
                    expected += self.served(front, name)
        for found, wanted in zip(origin.seen, expected, strict=False):
            self.assertEqual(wanted, found)
        self.assertEqual((len(expected), []), (len(origin.seen), origin.refused))

    def check_chunks(self) -> None:
        """Assert that the origin sees no body that is malformed as a whole one."""
        expected: list[Seen] = []
        with self.fronts() as (origin, fronts):
            for front in fronts:
                for name, body in CHUNKS.items():
                    expected += self.refused(front, name, chunked(body))
        self.assertEqual(expected, origin.seen)
        for each in origin.refused:
            self.assertRegex(each, "POST / HTTP/1.1|without sending complete message body")


class LlhttpTests(Smuggled):
    origin = "llhttp"
    both = True

    def test_heads(self) -> None:
        """An llhttp that forgives everything sees what is valid, and nothing else."""
        self.check()

    def test_chunks(self) -> None:
        """It never sees the end of a body that is malformed."""
        self.check_chunks()


class PathsTests(Smuggled):
    origin = "llhttp"

    def check_one(self, front: Front, said: bytes, line: str = "", host: str = "h") -> list[Seen]:
        """Assert that `said` is seen as `line` alone, or refused with 400; return what is seen."""
        answers = front.ask(said)
        self.assertEqual([200 if line else 400], [each.status for each in answers], said)
        return [Seen(line, host)] if line else []

    def test_targets(self) -> None:
        """What is encoded in a path stays so, or becomes what it stands for where that is harmless."""
        expected: list[Seen] = []
        with self.fronts() as (origin, (web, proxy)):
            for path, seen in (
                (b"/app/%0d%0aX:%20y", "/%0D%0AX:%20y"),
                (b"/app/a%0aHost:x", "/a%0AHost:x"),
                (b"/app/%20HTTP/1.1", "/%20HTTP/1.1"),
                (b"/app/%23x%3fy", "/%23x%3Fy"),
                (b"/app/%252e%252e/x", "/%252e%252e/x"),
                (b"/app//evil/", "/evil/"),
                (b"//app/x", "/x"),
                (b"/x/..//app//x", "/x"),
                (b"/app/%e4", ""),
                (b"/app/%00", ""),
                (b"/app/a%2f..%2fb", ""),
                (b"/app/%", ""),
                (b"/app/../x", "/x"),
                (b"/app/%2e%2e/x", "/x"),
                (b"/app/..;/x", ""),
                (b"/app/a/..%3bb/x", ""),
                (b"/app/%5c..%5cx", ""),
                (b"/app/a%5cx", "/a%5Cx"),
            ):
                said = get(b"Connection: close", path=path).replace(b"<", b"")
                expected += self.check_one(web, said, seen and f"GET {seen} HTTP/1.1")
            for path in (b"/%0d%0aX:%20y", b"/../x", b"//x", b"/%00", b"/%2e%2e/\\"):
                said = get(b"Connection: close", path=path).replace(b"<", proxy.base)
                line = f"GET {path.decode()} HTTP/1.1"
                expected += self.check_one(proxy, said, line, proxy.host)
        self.assertEqual((expected, []), (origin.seen, origin.refused))

    def test_two_hosts(self) -> None:
        """Of the host in the target and the one in Host, the first counts, and is the only one seen."""
        with self.fronts() as (origin, (web, proxy)):
            said = get(b"Connection: close", path=b"/x").replace(b"<", b"http://other:81")
            expected = self.check_one(web, said, "GET /x HTTP/1.1", "other:81")
            said = said.replace(b"http://other:81", proxy.base.upper().replace(b"HTTP", b"hTTp"))
            expected += self.check_one(proxy, said, "GET /x HTTP/1.1", proxy.host)
        self.assertEqual(expected, origin.seen)

    def test_single_bytes(self) -> None:
        """What comes in single bytes is seen as what comes at once."""
        names = ("one behind the other", "Expect, and chunks at once", "trailers that frame")
        expected: list[Seen] = []
        with self.fronts() as (origin, fronts):
            for front in fronts:
                for name in names:
                    vector = HONEST[name]
                    said = vector.at(front.base) + front.leaving("/last")
                    answers = front.ask(*(said[at : at + 1] for at in range(len(said))))
                    self.assertEqual({200}, {each.status for each in answers})
                    expected += [Seen(line, front.host, body) for line, body in vector.seen]
                    expected.append(front.got("/last"))
        self.assertEqual((expected, []), (origin.seen, origin.refused))


class H11Tests(Smuggled):
    origin = "h11"

    def test_heads(self) -> None:
        """An h11 sees what is valid, and nothing else."""
        self.check()

    def test_chunks(self) -> None:
        """It never sees the end of a body that is malformed."""
        self.check_chunks()


class NginxTests(Smuggled):
    origin = "nginx"

    def test_heads(self) -> None:
        """An nginx sees what is valid, and nothing else."""
        self.check()

    def test_chunks(self) -> None:
        """It never sees the end of a body that is malformed."""
        self.check_chunks()


class HaproxyTests(Smuggled):
    origin = "haproxy"

    def test_heads(self) -> None:
        """A HAProxy sees what is valid, and nothing else."""
        self.check()

    def test_chunks(self) -> None:
        """It never sees the end of a body that is malformed."""
        self.check_chunks()
