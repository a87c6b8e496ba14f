"""Peers of an HTTP server that say and read next to nothing, by the hundred, and never stop."""

import contextlib
import ssl

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import Door, Host, attacked, dial, read_until

CROWD = 300
READERS = 60
HTTP = "header_timeout = 1\nrate_window = 1\nleast_rate = 2000"
BODY = b"Content-Length: 60000\r\n\r\n"


class SlowTests(AttackTestCase):
    def assert_let_go(self, host: Host, words: str, count: int) -> None:
        """`count` lines of the log say that a peer was let go of, for the reason in `words`."""
        self.assertEqual(sum(words in line for line in host.running.lines), count)

    def test_headers(self) -> None:
        """Who trickles a header is let go of in its time; honest clients are served meanwhile."""
        for service in ("web", "proxy"):
            with attacked(http=HTTP) as host, crowd(reads=True) as people:
                self.assert_serves(host, Door.PLAIN, Door.TLS)
                descriptors = host.descriptors
                people.come(host.port(service), b"GET /small HTTP/1.1\r\nX: ", count=CROWD)
                self.assert_serves(host, Door.PLAIN, Door.TLS)
                people.dawdle(b"a")
                self.assert_serves(host, Door.PLAIN, Door.TLS)
                self.assertLess(host.descriptors, descriptors + 20)  # the honest are leaving
                self.assert_quiet(host)
            self.assert_let_go(host, "it did not finish its header", CROWD)

    def test_bodies(self) -> None:
        """So is who trickles a body, whether anybody wants it or not."""
        with attacked(http=HTTP) as host, crowd(reads=True) as people:
            web = f"127.0.0.1:{host.port('web')}".encode()
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            descriptors = host.descriptors
            host_field = b" HTTP/1.1\r\nHost: " + web + b"\r\n"
            people.come(host.port("web"), b"POST /small" + host_field + BODY, count=CROWD)
            through = b"POST http://" + web + b"/small" + host_field + BODY
            people.come(host.port("proxy"), through, count=CROWD)
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            people.dawdle(b"a")
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            self.assertLess(host.descriptors, descriptors + 20)  # as above
            self.assert_quiet(host)
        self.assert_let_go(host, "it sent only", 2 * CROWD)

    def test_readers(self) -> None:
        """So is who sips at a large answer, at little cost of memory."""
        with attacked(http=HTTP) as host, crowd() as people:
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            memory = host.memory
            people.come(host.port("web"), host.endless("web"), count=READERS)
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            people.dawdle(sips=10)
            self.assertLess(host.memory - memory, 100)
            self.assert_serves(host, Door.PLAIN, Door.TLS)
            self.assert_quiet(host)
        self.assert_let_go(host, "it took only", READERS)

    def test_tls_on_a_plain_port(self) -> None:
        """Who speaks TLS where there is none is refused with 400, and its bytes are not logged."""
        with attacked() as host:
            for service in ("web", "proxy"):
                with dial(host.port(service)) as connection:
                    connection.sendall(client_hello())
                    answer = read_until(connection, b"\r\n\r\n")
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assert_serves(host, Door.PLAIN)
            self.assert_quiet(host, lines=200)
        self.assert_let_go(host, "127.0.0.1 was refused: 400 Bad Request; ", 2)
        self.assertTrue(all(line.isprintable() for line in host.running.lines))


def client_hello() -> bytes:
    """Return the first words of a TLS client."""
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname="localhost"
    )
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
