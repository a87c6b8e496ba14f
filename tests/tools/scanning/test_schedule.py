"""What is tried next, and what is made of what comes of it, on a network that is none."""

import errno
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.schedule import (
    HOSTS_AHEAD,
    HOSTS_AT_ONCE,
    LOCAL_TRIES,
    MOST_TRIES,
    HostScan,
    Probe,
    Schedule,
)
from netkit.tools.scanning.timing import START
from netkit.tools.scanning.verdicts import OPEN, REFUSED, SILENT, State, Verdict, local
from tests.tools.scanning.network import Does, Network, Outcome, by_port

SHORTAGE = errno.EMFILE
EXPECTED = {Does.ACCEPTS: OPEN, Does.REFUSES: REFUSED, Does.NOTHING: SILENT}


def host(ports: int, index: int = 0, longest: float = 4.0) -> HostScan:
    return HostScan(index, f"192.0.2.{index}", range(1, ports + 1), longest)


def scanned(
    does: Callable[[Probe, int], Outcome], ports: int, slots: int = 1000
) -> tuple[dict[Verdict, tuple[int, ...]], Network]:
    """Return the results of a scan of one host, and the network after it."""
    network, scan = Network(does), host(ports)
    network.run(Schedule([scan], slots))
    return scan.results(), network


class VerdictTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.sampled_from(Does), min_size=1, max_size=300), st.integers(1, 50))
    def test_each(self, ports: list[Does], slots: int) -> None:
        """Each port is what it does, never more attempts are under way than may be, all are counted."""
        network, scan = Network(lambda probe, _: ports[probe.port - 1]), host(len(ports))
        schedule = Schedule([scan], slots)
        network.run(schedule)
        found = {port: verdict for verdict, numbers in scan.results().items() for port in numbers}
        self.assertEqual(found, {port: EXPECTED[does] for port, does in enumerate(ports, 1)})
        self.assertLessEqual(network.most, slots)
        self.assertEqual(schedule.settled, len(ports))
        self.assertEqual(schedule.finished, [scan])

    def test_silence(self) -> None:
        """A silent port is tried twice, and one that answers once."""
        _, network = scanned(by_port({5: Does.NOTHING, 6: Does.ACCEPTS}), 10)
        self.assertEqual([network.tried["192.0.2.0", port] for port in (4, 5, 6)], [1, 2, 1])

    def test_said_on_the_way(self) -> None:
        """What a router says is kept as it was said."""
        prohibited = Verdict(State.FILTERED, "host unreachable")
        results, _ = scanned(by_port({3: prohibited}), 4)
        self.assertEqual(results, {REFUSED: (1, 2, 4), prohibited: (3,)})

    def test_quick_hosts(self) -> None:
        """Where a host is quick, silence is not waited for as long as where nothing is known."""
        silent = dict.fromkeys(range(301, 601), Does.NOTHING)
        _, quick = scanned(by_port(silent), 600)
        _, unknown = scanned(by_port({}, Does.NOTHING), 300)
        self.assertLess(quick.took, 1)
        self.assertGreater(unknown.took, 4)

    def test_banner(self) -> None:
        """An open port is under way until it is closed, and keeps what was said."""
        scan = host(1)
        schedule = Schedule([scan], 1)
        probe = schedule.next(0.0)
        assert probe is not None
        schedule.open(probe, 0.5, 0.5)
        self.assertEqual((schedule.next(1.0), schedule.is_done), (None, False))
        schedule.close(probe, b"hello")
        self.assertTrue(schedule.is_done)
        self.assertEqual((scan.opened[1].seconds, scan.opened[1].banner), (0.5, b"hello"))


class LossTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=40)
    @given(st.sets(st.integers(1, 200)), st.integers(1, MOST_TRIES - 1))
    def test_lost(self, unlucky: set[int], most: int) -> None:
        """Where one attempt more is lost, time and again, ports that answer at last are not filtered."""
        lost = {**dict.fromkeys(unlucky, most), **{times: times for times in range(1, most + 1)}}
        results, _ = scanned(
            lambda probe, before: (
                Does.NOTHING if before < lost.get(probe.port, 0) else Does.REFUSES
            ),
            200,
        )
        self.assertEqual(results, {REFUSED: tuple(range(1, 201))})

    def test_backs_off(self) -> None:
        """A way that loses what is too much at once is asked for less at once."""
        scan = host(2000)
        schedule = Schedule([scan], 1000)
        sizes = []

        def does(_: Probe, before: int) -> Outcome:
            sizes.append(scan.under_way)
            return Does.NOTHING if scan.under_way > 100 and not before else Does.REFUSES

        Network(does).run(schedule)
        self.assertEqual(set(scan.results()), {REFUSED})
        self.assertGreater(max(sizes), 100)
        self.assertLess(sum(sizes[-500:]) / 500, 150)

    def test_silent_ports_once_more(self) -> None:
        """Once a second attempt was answered, the silent ports get a third; there is an end to it."""
        _, network = scanned(
            lambda probe, before: (
                (Does.REFUSES if before else Does.NOTHING) if probe.port == 50 else Does.NOTHING
            ),
            50,
        )
        self.assertEqual(network.tried["192.0.2.0", 1], 3)
        _, network = scanned(
            lambda probe, before: Does.REFUSES if before >= min(probe.port, 9) else Does.NOTHING, 9
        )
        self.assertEqual(max(network.tried.values()), MOST_TRIES)

    def test_no_loss(self) -> None:
        """What a router says to a second attempt is no sign of a loss."""
        prohibited = Verdict(State.FILTERED, "host unreachable")
        results, network = scanned(
            lambda probe, before: prohibited if before and probe.port == 1 else Does.NOTHING, 20
        )
        self.assertEqual(set(network.tried.values()), {2})
        self.assertEqual(results[prohibited], (1,))

    def test_silence_alone(self) -> None:
        """A host that says nothing at all is asked for more at once as time goes by."""
        _, network = scanned(by_port({}, Does.NOTHING), 3000)
        self.assertGreater(network.most, 4 * START)
        self.assertLess(network.took, 60)


class LocalTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=40)
    @given(
        st.dictionaries(st.integers(1, 60), st.integers(1, LOCAL_TRIES - 2), max_size=1)
        | st.dictionaries(st.integers(1, 60), st.just(1), max_size=LOCAL_TRIES - 2),
        st.sampled_from(
            [errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.EAGAIN]
        ),
    )
    def test_retried(self, failing: dict[int, int], code: int) -> None:
        """What fails here for a while says nothing of a port: it is tried until that is over."""
        results, _ = scanned(
            lambda probe, before: code if before < failing.get(probe.port, 0) else Does.REFUSES, 60
        )
        self.assertEqual(results, {REFUSED: tuple(range(1, 61))})

    def test_never_closed(self) -> None:
        """What fails here for good is not known, and why is said."""
        results, network = scanned(by_port({}, SHORTAGE), 500)
        self.assertEqual(results, {local(SHORTAGE): tuple(range(1, 501))})
        self.assertGreaterEqual(max(network.tried.values()), 2)
        self.assertLess(network.took, 5)

    def test_one_port(self) -> None:
        """A port that can never be tried keeps no other from it."""
        results, network = scanned(by_port({7: errno.EADDRNOTAVAIL}), 20)
        self.assertEqual(results[local(errno.EADDRNOTAVAIL)], (7,))
        self.assertEqual(len(results[REFUSED]), 19)
        self.assertLessEqual(network.tried["192.0.2.0", 7], LOCAL_TRIES)

    def test_no_route(self) -> None:
        """What a moment does not change is not tried again."""
        _, network = scanned(by_port({}, errno.ENETUNREACH), 100)
        self.assertEqual(set(network.tried.values()), {1})
        self.assertLess(network.took, 0.02)

    def test_fewer_at_once(self) -> None:
        """With too few descriptors no more is begun than there are, and nothing is wrong in the end."""
        scan = host(400)
        schedule = Schedule([scan], 300)
        held = []

        def does(probe: Probe, _: int) -> Outcome:
            held.append(scan.under_way)
            return (
                SHORTAGE
                if scan.under_way > 40
                else Does.NOTHING
                if probe.port % 2
                else Does.ACCEPTS
            )

        Network(does).run(schedule)
        self.assertEqual(
            {verdict.state for verdict in scan.results()}, {State.OPEN, State.FILTERED}
        )
        self.assertLess(sum(each > 40 for each in held), 100)

    def test_pause(self) -> None:
        """After an error nothing is begun for a moment."""
        schedule = Schedule([host(2)], 10)
        probe = schedule.next(0.0)
        assert probe is not None
        schedule.fail(probe, errno.EAGAIN, 0.0)
        self.assertIsNone(schedule.next(0.01))
        self.assertIsNotNone(schedule.next(0.06))


class HostsTests(SynchronousTestCase):
    def test_many(self) -> None:
        """Many hosts take turns; each is done, and not all of them begin at once."""
        hosts = [host(3, index) for index in range(250)]
        begun: list[int] = []

        def does(probe: Probe, _: int) -> Outcome:
            begun.append(probe.host.index)
            return Does.NOTHING if probe.host.index % 2 else Does.REFUSES

        schedule = Schedule(iter(hosts), 100)
        Network(does).run(schedule)
        self.assertEqual(len(schedule.finished), 250)
        self.assertEqual(begun[:3], [0, 1, 2])
        self.assertLess(max(begun[:90]), HOSTS_AT_ONCE)

    def test_ahead(self) -> None:
        """One slow host does not have the results of all others pile up."""
        taken = 0

        def hosts() -> object:
            nonlocal taken
            for index in range(5000):
                taken += 1
                yield host(1, index)

        schedule = Schedule(hosts(), 1000)  # type: ignore[arg-type]  # it is an iterator
        while probe := schedule.next(0.0):
            if probe.host.index:
                schedule.settle(probe, REFUSED, 0.001, 0.0)
        self.assertLessEqual(taken, HOSTS_AHEAD + 1)
        self.assertGreater(len(schedule.finished), HOSTS_AT_ONCE)
