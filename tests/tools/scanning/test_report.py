"""What a scan has found, in words and in figures."""

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.report import as_json, duration, one_line, rows, sentence, text, totals
from netkit.tools.scanning.resolving import Host
from netkit.tools.scanning.scan import Report
from netkit.tools.scanning.schedule import Opened
from netkit.tools.scanning.verdicts import OPEN, REFUSED, SILENT, State, Verdict

UNREACHABLE = Verdict(State.FILTERED, "host unreachable")
UNKNOWN = Verdict(State.UNKNOWN, "too many open files")
REPORT = Report(
    Host(ip_address("192.0.2.1"), "a.example"),
    {OPEN: (22, 80), REFUSED: (21, 23, 24), SILENT: (25,), UNREACHABLE: (26,), UNKNOWN: (27,)},
    {22: Opened(0.0123, b"SSH-2.0-x y\r\n"), 80: Opened(1.25)},
)


class FormTests(SynchronousTestCase):
    def test_one_line(self) -> None:
        """A host is one line that grep can find ports in."""
        self.assertEqual(
            one_line(REPORT, all_ports=False),
            '192.0.2.1 (a.example): 22/open/ssh/"SSH-2.0-x y" 80/open/http',
        )
        self.assertIn(" 25/filtered/smtp ", one_line(REPORT, all_ports=True))

    def test_json(self) -> None:
        """JSON has the open ports one by one, and the rest as ranges with their reason."""
        self.assertEqual(
            as_json(REPORT, all_ports=False),
            {
                "address": "192.0.2.1",
                "name": "a.example",
                "ports": [
                    {
                        "port": 22,
                        "state": "open",
                        "reason": "connected",
                        "service": "ssh",
                        "seconds": 0.0123,
                        "banner": "SSH-2.0-x y",
                    },
                    {
                        "port": 80,
                        "state": "open",
                        "reason": "connected",
                        "service": "http",
                        "seconds": 1.25,
                        "banner": None,
                    },
                ],
                "others": [
                    {"state": "closed", "reason": "refused", "count": 3, "ports": "21,23-24"},
                    {"state": "filtered", "reason": "no answer", "count": 1, "ports": "25"},
                    {"state": "filtered", "reason": "host unreachable", "count": 1, "ports": "26"},
                    {
                        "state": "unknown",
                        "reason": "too many open files",
                        "count": 1,
                        "ports": "27",
                    },
                ],
            },
        )
        every = as_json(REPORT, all_ports=True)
        self.assertEqual([each["port"] for each in every["ports"]], [*range(21, 28), 80])
        self.assertEqual(every["others"], [])

    def test_rows(self) -> None:
        """A row says why a port is not open, or what its server said."""
        cells = [row.cells for row in rows(REPORT, all_ports=True)]
        self.assertEqual(cells[0], ("21", "closed", "ftp", "", "refused"))
        self.assertEqual(cells[1], ("22", "open", "ssh", "12 ms", "SSH-2.0-x y"))
        self.assertEqual(cells[-1], ("80", "open", "http", "1.2 s", ""))

    def test_sentences(self) -> None:
        """Of a single port a sentence says how it is, and why."""
        for port, said in (
            (22, "port 22 (ssh): open, connected in 12 ms; it says: SSH-2.0-x y"),
            (80, "port 80 (http): open, connected in 1.2 s"),
            (21, "port 21 (ftp): closed, connection refused"),
            (25, "port 25 (smtp): filtered, no answer within 4 s"),
            (26, "port 26: filtered, host unreachable"),
            (27, "port 27: not known, too many open files"),
        ):
            self.assertEqual(sentence(REPORT, port, 4.0), f"a.example (192.0.2.1) {said}")

    def test_totals(self) -> None:
        """All ports are counted, by what they are and why."""
        counts = {verdict: 1000 * len(ports) for verdict, ports in [*REPORT.results.items()][::-1]}
        self.assertEqual(
            totals(counts),
            "2,000 open, 3,000 closed (refused), 1,000 filtered (host unreachable), "
            "1,000 filtered (no answer), 1,000 not known (too many open files)",
        )

    def test_durations(self) -> None:
        """Time has as many digits as mean something."""
        for seconds, said in (
            (0.00012, "0.12 ms"),
            (0.0123, "12 ms"),
            (0.567, "567 ms"),
            (2, "2.0 s"),
        ):
            self.assertEqual(duration(seconds), said)


class BannerTests(SynchronousTestCase):
    @given(st.binary(max_size=256))
    def test_harmless(self, banner: bytes) -> None:
        """Whatever a server says, nothing of it acts on a terminal, and no line ends."""
        shown = text(banner)
        self.assertFalse(set(shown) & set(map(chr, (*range(32), *range(127, 160)))), shown)

    def test_as_text(self) -> None:
        """UTF-8 is text; what is none is shown as escapes."""
        self.assertEqual(text("220 grüß dich\r\n".encode()), "220 grüß dich")
        self.assertEqual(text(b"\xff\xfd\x18\x1b[2J"), r"\xff\xfd\x18\x1b[2J")
