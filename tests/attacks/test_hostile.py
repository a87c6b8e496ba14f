"""Upstreams that answer what is no answer, too much, too early, too slowly, or nothing at all."""

import socket
from collections.abc import Mapping
from types import MappingProxyType

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.pool import Counts
from tests.attacks.fronts import before
from tests.attacks.host import read_until
from tests.attacks.origins import scripted
from tests.attacks.relayed import GET, Relayed
from tests.attacks.test_killed import fate

OK = b"HTTP/1.1 200 OK\r\n"
EMPTY = Counts(connections=0, idle=0, waiting=0)
CLEAN = OK + b"Content-Length: 5\r\n\r\nhello"
EVIL = OK + b"Content-Length: 4\r\n\r\nevil"


def answer(*fields: bytes, body: bytes = b"hello", line: bytes = OK) -> bytes:
    """Return an answer with `fields`."""
    return line + b"\r\n".join((*fields, b"", body))


def said(*lengths: bytes) -> bytes:
    """Return an answer with a Content-Length for each of `lengths`."""
    return answer(*(b"Content-Length: " + each for each in lengths))


def coded(*codings: bytes, line: bytes = OK) -> bytes:
    """Return an answer with a Transfer-Encoding for each of `codings`."""
    fields = (b"Transfer-Encoding: " + each for each in codings)
    return answer(*fields, body=b"5\r\nhello\r\n0\r\n\r\n", line=line)


def chunks(body: bytes) -> bytes:
    """Return an answer in chunks."""
    return answer(b"Transfer-Encoding: chunked", body=body)


NONE: Mapping[str, bytes] = MappingProxyType(
    {
        "CL and TE": answer(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
        "TE and CL": answer(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"),
        "CL 0 and TE": answer(
            b"Content-Length: 0", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
        ),
        "plus": said(b"+5"),
        "minus": said(b"-5"),
        "hexadecimal": said(b"0x5"),
        "hexadecimal digit": said(b"A"),
        "fraction": said(b"5.0"),
        "empty length": said(b""),
        "two lengths": said(b"5", b"6"),
        "the same length twice": said(b"5", b"5"),
        "list of lengths": said(b"5, 5"),
        "two words": said(b"5 5"),
        "2**64 + 5": said(b"18446744073709551621"),
        "5,000 digits": said(b"5" * 5000),
        "vertical tab": said(b"\x0b5"),
        "gzip, chunked": coded(b"gzip, chunked"),
        "chunked twice": coded(b"chunked", b"chunked"),
        "identity": coded(b"identity"),
        "xchunked": coded(b"xchunked"),
        "empty coding": coded(b""),
        "chunked in HTTP/1.0": coded(b"chunked", line=b"HTTP/1.0 200 OK\r\n"),
        "minus a chunk": chunks(b"-5\r\nhello\r\n0\r\n\r\n"),
        "plus a chunk": chunks(b"+5\r\nhello\r\n0\r\n\r\n"),
        "0x before a chunk": chunks(b"0x5\r\nhello\r\n0\r\n\r\n"),
        "overflowing chunk": chunks(b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
        "LF behind a chunk's size": chunks(b"5\nhello\r\n0\r\n\r\n"),
        "data behind a chunk": chunks(b"5\r\nhello!\r\n0\r\n\r\n"),
        "endless extension": chunks(b"5;" + b"a" * 100_000),
        "LF in the reason": answer(line=b"HTTP/1.1 200 O\nK\r\n"),
        "CR in the reason": answer(line=b"HTTP/1.1 200 O\rK\r\n"),
        "NUL in the reason": answer(line=b"HTTP/1.1 200 O\0K\r\n"),
        "LF for CR LF": CLEAN.replace(b"\r\n", b"\n"),
        "LF behind the line": answer(b"X: y", line=b"HTTP/1.1 200 OK\n"),
        "CR in a value": answer(b"X: a\rb"),
        "LF in a value": answer(b"X: a\nX-Evil: b"),
        "NUL in a value": answer(b"X: a\0b"),
        "NUL in a name": answer(b"X\0: a"),
        "ESC in a value": answer(b"X: \x1b[2J"),
        "folded": answer(b"X: a", b" b"),
        "space before the colon": answer(b"Content-Length : 5"),
        "space in a name": answer(b"X y: a"),
        "no colon": answer(b"X"),
        "no name": answer(b": a"),
        "HTTP/2": answer(line=b"HTTP/2.0 200 OK\r\n"),
        "HTTP/0.9": b"hello",
        "another protocol": b"ICY 200 OK\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
        "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
        "an empty line first": b"\r\n" + CLEAN,
        "status of two digits": answer(line=b"HTTP/1.1 20 OK\r\n"),
        "status of four digits": answer(line=b"HTTP/1.1 2000 OK\r\n"),
        "status below 100": answer(line=b"HTTP/1.1 099 OK\r\n"),
        "no status": answer(line=b"HTTP/1.1\r\n"),
        "a request": GET,
        "a header of 1 MiB": OK + b"X: " + b"a" * 2**20,
        "10,000 fields": answer(*[b"X: y"] * 10_000),
        "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
        b"Upgrade: websocket\r\n\r\n" + EVIL,
        "interim answers for ever": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000,
        "100 for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        "100 with a body": b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello",
        "103 that frames": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello" + CLEAN,
    }
)
"""What is no answer."""

SURPLUS: Mapping[str, tuple[bytes, bytes]] = MappingProxyType(
    {
        "two answers": (CLEAN + EVIL, b"hello"),
        "a longer body than said": (CLEAN + b"evil", b"hello"),
        "a body where none can be": (answer(line=b"HTTP/1.1 204 No Content\r\n") + EVIL, b""),
        "a body of a 304": (answer(line=b"HTTP/1.1 304 Not Modified\r\n") + EVIL, b""),
        "data behind the last chunk": (chunks(b"5\r\nhello\r\n0\r\n\r\n") + EVIL, b"hello"),
        "empty line behind": (CLEAN + b"\r\n", b"hello"),
    }
)
"""Answers with more behind them."""


class HostileTests(SynchronousTestCase):
    def assert_over(self, relayed: Relayed, name: str) -> None:
        """Assert that the connection to the origin is no more, the client's stays, nothing failed."""
        self.assertTrue(relayed.origin.end.disconnected, name)
        self.assertEqual(EMPTY, relayed.pool.counts, name)
        self.assertEqual([], relayed.failures, name)

    def assert_next_served(self, relayed: Relayed, name: str) -> None:
        """Assert that the next client is served, on a connection of its own."""
        relayed.come()
        relayed.ask()
        relayed.origin.end.send(CLEAN)
        self.assertEqual([b"hello"], [each.body for each in relayed.answered], name)
        self.assertEqual(2, len(relayed.origin.ends), name)

    def test_none(self) -> None:
        """What is no answer becomes a 502, however it comes, and its connection is not used again."""
        for name, data in NONE.items():
            for pieces in ((data,), (data[:9], data[9:-1], data[-1:])):
                relayed = Relayed()
                relayed.ask()
                for piece in pieces:
                    relayed.origin.end.send(piece)
                relayed.origin.end.take()
                self.assertEqual([502], [each.status for each in relayed.answered], name)
                self.assertNotIn(b"evil", relayed.client.taken.lower(), name)
                self.assert_over(relayed, name)
                self.assert_next_served(relayed, name)

    def test_single_bytes(self) -> None:
        """So it does in single bytes, unless the header was fine: then the answer is cut short."""
        for name, data in NONE.items():
            relayed = Relayed()
            relayed.ask()
            for at in range(min(len(data), 200)):
                relayed.origin.end.send(data[at : at + 1])
            relayed.origin.end.send(data[200:])
            relayed.origin.end.take()
            begun = data.startswith(chunks(b""))
            statuses = [each.status for each in relayed.answered]
            self.assertEqual(([] if begun else [502]), statuses, name)
            self.assertEqual(begun, relayed.client.aborted, name)
            self.assert_over(relayed, name)

    def test_surplus(self) -> None:
        """What stands behind an answer goes to nobody, neither at once nor a little later."""
        for name, (data, body) in SURPLUS.items():
            for cut in (len(data), len(data) - 1, len(data) - 5):
                relayed = Relayed()
                relayed.ask()
                relayed.origin.end.send(data[:cut])
                relayed.origin.end.send(data[cut:])
                relayed.origin.end.take()
                self.assertEqual([body], [each.body for each in relayed.answered], name)
                self.assert_over(relayed, name)
                self.assert_next_served(relayed, name)

    def test_answer_before_the_request(self) -> None:
        """An answer that nobody has asked for ends a connection that waits for a question."""
        relayed = Relayed()
        relayed.ask()
        relayed.origin.end.send(CLEAN)
        self.assertEqual(1, relayed.pool.counts.idle)
        relayed.origin.end.send(EVIL)
        self.assert_over(relayed, "early")
        self.assert_next_served(relayed, "early")

    def test_interim(self) -> None:
        """A 103 goes on, without what is about a connection, and is not taken for the answer."""
        relayed = Relayed()
        relayed.ask()
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: y\r\n\r\n"
        relayed.origin.end.send(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + CLEAN)
        self.assertEqual([b"hello"], [each.body for each in relayed.answered])
        interim, _, final = relayed.client.taken.partition(b"\r\n\r\n")
        self.assertTrue(interim.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"))
        self.assertNotIn(b"X: y", interim)
        self.assertTrue(final.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertEqual(1, relayed.pool.counts.idle)

    def test_http2_in_disguise(self) -> None:
        """An upgrade to HTTP/2 is not offered to an origin, nor taken where it comes unasked."""
        for offer in (b"h2c", b"websocket, H2C"):
            relayed = Relayed()
            upgrade = b"Connection: upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAAA\r\n"
            asked = relayed.ask(GET[:-2] + upgrade + b"Upgrade: " + offer + b"\r\n\r\n")
            self.assertNotIn(b"h2c", asked.lower())
            self.assertNotIn(b"http2-settings", asked.lower())
            relayed.origin.end.send(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
            )
            self.assertEqual([502], [each.status for each in relayed.answered])
            self.assert_over(relayed, "h2c")

    def test_answer_for_100(self) -> None:
        """Where an answer comes instead of a 100, what follows is the body, or the client is let go."""
        expecting = GET.replace(b"GET", b"POST")[:-2] + b"Expect: 100-continue\r\n"
        for body in (b"", GET):
            relayed = Relayed()
            relayed.ask(expecting + b"Content-Length: %d\r\n\r\n" % len(GET) + body)
            relayed.origin.end.send(OK + b"Content-Length: 0\r\n\r\n")
            self.assertEqual([200], [each.status for each in relayed.answered])
            relayed.client.send(GET)
            stays = bool(body)
            self.assertEqual(1 + stays, len(relayed.origin.ends))
            self.assertEqual(not stays, relayed.client.finished)

    def test_gone(self) -> None:
        """Who closes at once, or in the middle of the header, has not answered."""
        for data in (b"", OK[:5], OK, CLEAN[:-6]):
            relayed = Relayed()
            relayed.ask()
            relayed.origin.end.send(data)
            relayed.origin.end.finish()
            relayed.origin.end.take()
            self.assertEqual([502], [each.status for each in relayed.answered], data)
            self.assert_over(relayed, repr(data))

    def test_silence(self) -> None:
        """Who never answers is waited for so long, and the client hears a 504."""
        relayed = Relayed(header_timeout=10.0)
        relayed.ask()
        relayed.wait(9)
        self.assertEqual([], relayed.answered)
        relayed.wait(3)
        self.assertEqual([504], [each.status for each in relayed.answered])
        self.assert_over(relayed, "silent")

    def test_trickle(self) -> None:
        """Who sends a header in single bytes is waited for just as long."""
        for data in (OK + b"X: " + b"a" * 100, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10):
            relayed = Relayed(header_timeout=10.0)
            relayed.ask()
            for at in range(13):
                relayed.origin.end.send(data[at : at + 1])
                relayed.wait(1)
            self.assertEqual([504], [each.status for each in relayed.answered])
            self.assert_over(relayed, "slow")

    def test_interim_in_time(self) -> None:
        """Interim answers do not put the end of that time off."""
        relayed = Relayed(header_timeout=10.0)
        relayed.ask()
        for _ in range(13):
            relayed.origin.end.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            relayed.wait(1)
        self.assertEqual([504], [each.status for each in relayed.answered])
        self.assert_over(relayed, "slow")

    def test_silence_in_a_body(self) -> None:
        """Who goes silent in the middle of a body is let go of, and the client sees it cut."""
        for framing in (b"Content-Length: 100000\r\n", b"Transfer-Encoding: chunked\r\n", b""):
            relayed = Relayed(read_timeout=10.0)
            relayed.ask()
            relayed.origin.end.send(OK + framing + b"\r\n5\r\nhello")
            relayed.client.take()
            relayed.wait(13)
            self.assertTrue(relayed.client.aborted)
            self.assert_over(relayed, "silent")

    def test_endless_to_nobody(self) -> None:
        """An answer without end to a client that takes nothing is read a little way, and no further."""
        piece = b"a" * 65536
        for framing in (b"Content-Length: 1073741824\r\n", b""):
            relayed = Relayed()
            relayed.ask()
            relayed.origin.end.send(OK + framing + b"\r\n")
            read = sum(relayed.origin.end.send(piece) for _ in range(100))
            self.assertLessEqual(read, 4)
            before = read
            while relayed.client.take(65536) and read < before + 10:
                read += relayed.origin.end.send(piece)
            self.assertEqual(before + 10, read)
            self.assertLess(relayed.client.waiting, 4 * len(piece))


class OnLoopbackTests(SynchronousTestCase):
    def test_none(self) -> None:
        """So it is by both proxies of a real netkit, whose log shows nothing of what was sent."""
        said = tuple(NONE.values())

        def serve(connection: socket.socket) -> None:
            asked = read_until(connection, b"\r\n\r\n")
            connection.sendall(said[int(asked.split(b" ")[1][1:])])

        with scripted(serve) as port, before(self, port) as fronts:
            for front in fronts:
                fates = {fate(front, number) for number in range(len(said))}
                self.assertLessEqual(fates, {"502", "cut"})
