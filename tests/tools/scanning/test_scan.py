"""A scan from beginning to end, on loopback."""

from ipaddress import ip_address
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.tools.scanning.resolving import Host
from netkit.tools.scanning.scan import Report, Terms, _InOrder, scan
from netkit.tools.scanning.schedule import HostScan
from netkit.tools.scanning.verdicts import OPEN, REFUSED, SILENT, State
from tests.tools.scanning.hosts import closed, listening, silent, sockets

CLOCK: Any = reactor
HERE = Host(ip_address("127.0.0.1"), "here")


class ScanTests(TestCase):
    async def test_report(self) -> None:
        """A host's report has its ports by verdict, in ascending order; progress adds up to all."""
        stack = sockets(self)
        open_ = [listening(stack) for _ in range(3)]
        shut, mute = closed(stack), silent(stack)
        reports: list[Report] = []
        advanced: list[int] = []
        ports = [*open_, mute, shut]
        terms = Terms(timeout=0.3, jobs=2)
        await scan(CLOCK, [HERE], ports, reports.append, terms=terms, advanced=advanced.append)
        (report,) = reports
        self.assertEqual(report.host, HERE)
        self.assertEqual(
            report.results, {OPEN: tuple(sorted(open_)), REFUSED: (shut,), SILENT: (mute,)}
        )
        self.assertEqual((report.verdict(mute), report.count(State.OPEN)), (SILENT, 3))
        self.assertEqual(list(report.opened), sorted(open_))
        self.assertEqual(sum(advanced), len(ports))
        self.assertRaises(KeyError, report.verdict, 0)

    async def test_hosts_in_order(self) -> None:
        """The reports come in the order of the hosts."""
        hosts = [Host(ip_address(f"127.0.0.{number}")) for number in range(9, 1, -1)]
        reports: list[Report] = []
        await scan(CLOCK, hosts, [1], reports.append)
        self.assertEqual([report.host for report in reports], hosts)


class OrderTests(SynchronousTestCase):
    def test_held_back(self) -> None:
        """What is done before its turn waits for it."""
        hosts = [Host(ip_address(f"192.0.2.{number}")) for number in range(3)]
        done = [HostScan(index, str(host), (), 1.0) for index, host in enumerate(hosts)]
        order = _InOrder(hosts)
        self.assertEqual(list(order.ready([done[2], done[1]])), [])
        self.assertEqual([each.host for each in order.ready([done[0]])], hosts)
