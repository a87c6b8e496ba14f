"""Ports as people write them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.ports import HIGHEST, looks_like_ports, parse, spans

NAMES = {"http": 80, "ssh": 22, "ms-sql-s": 1433, "7-ports": 7}

PORT = st.integers(1, HIGHEST)
SPAN = st.tuples(PORT, PORT).map(sorted)


def read(text: str) -> tuple[int, ...]:
    return parse(text, NAMES.get)


class ParseTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """A port, a range, a list of both and names of services are understood."""
        for text, ports in (
            ("22", (22,)),
            ("1-200", tuple(range(1, 201))),
            ("443,80,8000-8002", (80, 443, 8000, 8001, 8002)),
            ("http", (80,)),
            ("http,", (80,)),
            ("ms-sql-s, ssh", (22, 1433)),
            ("7-ports", (7,)),
            ("65530-", tuple(range(65530, 65536))),
            ("-3", (1, 2, 3)),
            ("00022,22", (22,)),
        ):
            with self.subTest(text):
                self.assertEqual(read(text), ports)
        self.assertEqual(read("-"), tuple(range(1, HIGHEST + 1)))

    def test_wrong(self) -> None:
        """What is wrong is said, with what would be right."""
        for text, said in (
            ("", '"" names no port; a port (1 to 65535), a range such as'),
            (",,", '",," names no port; '),
            ("0", "0 is not a port; 1 to 65535"),
            ("65536", "65536 is not a port; 1 to 65535"),
            ("1-99999", "99999 is not a port; 1 to 65535"),
            ("0-5", "0 is not a port; 1 to 65535"),
            ("9-3", '"9-3" ends before it begins; "3-9"'),
            ("1-2-3", '"1-2-3" is no port and no known service; '),
            ("htpt\x1b", '"htpt\\x1b" is no port and no known service; '),
            ("123456", '"123456" is no port and no known service; '),
            ("٢٢", '"٢٢" is no port and no known service; '),
        ):
            with self.subTest(text):
                error = self.assertRaises(ValueError, read, text)
                self.assertTrue(str(error).startswith(said), error)

    @settings(deadline=None, max_examples=60)
    @given(st.lists(SPAN, min_size=1, max_size=20))
    def test_as_sets(self, written: list[list[int]]) -> None:
        """What is read is the union of the ranges, in ascending order, each port once."""
        union = {port for low, high in written for port in range(low, high + 1)}
        self.assertEqual(
            read(",".join(f"{low}-{high}" for low, high in written)), tuple(sorted(union))
        )

    @settings(deadline=None, max_examples=60)
    @given(st.sets(PORT, min_size=1, max_size=200))
    def test_there_and_back(self, ports: set[int]) -> None:
        """What is written is read as the same."""
        self.assertEqual(read(spans(sorted(ports))), tuple(sorted(ports)))

    @settings(deadline=None)
    @given(st.text(max_size=40))
    def test_anything(self, text: str) -> None:
        """Whatever is written gives ports, or a ValueError of one printable line."""
        try:
            ports = read(text)
        except ValueError as error:
            self.assertTrue(str(error).isprintable() or not text.isprintable(), error)
        else:
            self.assertEqual(sorted(set(ports)), list(ports))
            self.assertTrue(ports and 0 < ports[0] <= ports[-1] <= HIGHEST)

    def test_much_at_once(self) -> None:
        """The same range ten thousand times is read once."""
        self.assertEqual(len(read(",".join(["-"] * 10_000))), HIGHEST)


class SpansTests(SynchronousTestCase):
    def test_shortest(self) -> None:
        """Ports in a row are one range."""
        self.assertEqual(spans((1, 2, 3, 7, 9, 10)), "1-3,7,9-10")
        self.assertEqual(spans(()), "")


class LooksTests(SynchronousTestCase):
    def test_ports_or_host(self) -> None:
        """A comma, or digits and hyphens alone, are ports; names, addresses and networks are hosts."""
        for text in ("22", "1-200", "80,443", "http,", "ssh,smtp", "8000-"):
            self.assertTrue(looks_like_ports(text), text)
        for text in ("http", "a.example", "127.0.0.1", "::1", "192.0.2.0/24", "4you", "-", "x-1"):
            self.assertFalse(looks_like_ports(text), text)
