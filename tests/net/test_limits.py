"""Who is counted as whom, how many may come, and when a connection has to end."""

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.limits import Census, Glance, Limits, Patience, source

LIMITS = Limits(handshake_timeout=5, first_byte_timeout=20, idle_timeout=60, write_timeout=30)


class SourceTests(SynchronousTestCase):
    def test_sources(self) -> None:
        """IPv4 counts whole, IPv6 by its /64, a mapped address as what it maps, UNIX not at all."""
        self.assertEqual(source(IPv4Address("TCP", "192.0.2.1", 1)), "192.0.2.1")
        self.assertEqual(source(IPv6Address("TCP", "2001:db8:1:2:3::9", 1)), "2001:db8:1:2::/64")
        self.assertEqual(source(IPv6Address("TCP", "fe80::1%eth0", 1)), "fe80::/64")
        self.assertEqual(source(IPv6Address("TCP", "::ffff:192.0.2.1", 1)), "192.0.2.1")
        self.assertEqual(source(UNIXAddress(None)), "")


class CensusTests(SynchronousTestCase):
    def test_total(self) -> None:
        """The connection over the total is refused; one that leaves makes room."""
        census = Census(Limits(connections=2))
        self.assertEqual([census.admit(who) for who in "abc"], [True, True, False])
        census.leave("a")
        self.assertTrue(census.admit("c"))
        self.assertEqual(census.report(), ("2 connections are open", 1))

    def test_by_source(self) -> None:
        """One source is refused at its limit while others are served."""
        census = Census(Limits(connections_per_address=2))
        self.assertEqual([census.admit("a") for _ in range(3)], [True, True, False])
        self.assertTrue(census.admit("b"))
        self.assertEqual(census.report(), ("a has 2 open", 1))
        self.assertEqual(census.report(), ("", 0))

    def test_many_reasons(self) -> None:
        """However many sorts of refusals there are, a bounded number is remembered."""
        census = Census(Limits())
        for number in range(1000):
            census.refuse(f"{number} sent rubbish")
        self.assertLess(len(census.refused), 200)
        self.assertEqual(census.report()[1], 1000)

    def test_no_address(self) -> None:
        """Peers without an address count in total only."""
        census = Census(Limits(connections_per_address=1))
        self.assertTrue(census.admit("") and census.admit(""))

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc"))))
    def test_counts_add_up(self, steps: list[tuple[bool, str]]) -> None:
        """The total is the sum of the sources, and who has left is not remembered."""
        census = Census(Limits(connections=4, connections_per_address=2))
        here: list[str] = []
        for comes, who in steps:
            if comes and census.admit(who):
                here.append(who)
            elif not comes and who in here:
                here.remove(who)
                census.leave(who)
        self.assertEqual(census.total, len(here))
        self.assertEqual(dict(census.by_source), {who: here.count(who) for who in here})


class PatienceTests(SynchronousTestCase):
    def looks(self, *looks: tuple[float, Glance], limits: Limits = LIMITS) -> list[str]:
        """Return what each look, at its time, says of a connection that began at 0."""
        patience = Patience(0.0)
        return [patience.reason_to_go(limits, now, glance) for now, glance in looks]

    def test_handshake(self) -> None:
        """A handshake has its time and no more, however many bytes keep coming."""
        slow = Glance(greeted=False, heard=True)
        self.assertEqual(
            self.looks((4.9, slow), (5.0, slow)), ["", "did not finish the handshake in time"]
        )

    def test_first_byte(self) -> None:
        """Who never speaks goes sooner than who has spoken once."""
        self.assertEqual(
            self.looks((19, Glance()), (20, Glance())), ["", "said nothing in its first 20 s"]
        )
        self.assertEqual(self.looks((19, Glance(heard=True)), (50, Glance())), ["", ""])

    def test_idle(self) -> None:
        """A peer that says nothing goes; one that says something stays."""
        self.assertEqual(
            self.looks((19, Glance(heard=True)), (78, Glance()), (79, Glance())),
            ["", "", "said nothing for 60 s"],
        )

    def test_never_reads(self) -> None:
        """A peer that takes nothing goes, whatever it says meanwhile."""
        stuck = Glance(unsent=100, heard=True)
        self.assertEqual(
            self.looks((0, Glance()), (1, stuck), (29, stuck), (30, stuck)),
            ["", "", "", "took nothing of 100 bytes for 30 s"],
        )

    def test_reads_slowly(self) -> None:
        """A peer that takes a little each time stays, though as much is added, and is not idle."""
        looks = [
            (19.0 * step, Glance(unsent=1000, taken=step, heard=step == 1)) for step in range(1, 99)
        ]
        self.assertEqual(set(self.looks(*looks)), {""})

    def test_nobody_asked(self) -> None:
        """What was taken while nobody asked is neither news nor forgotten progress."""
        quiet, stuck = Glance(), Glance(unsent=100, taken=500)
        looks = [(float(now), stuck if now >= 50 else quiet) for now in range(1, 81)]
        limits = evolve(LIMITS, first_byte_timeout=0)
        reasons = self.looks(*looks, limits=limits)
        self.assertEqual(reasons.index("took nothing of 100 bytes for 30 s"), 78)

    def test_never_lets_go(self) -> None:
        """A peer that does not let a closed connection end goes, whatever it says meanwhile."""
        closing = Glance(closing=True, heard=True)
        self.assertEqual(
            self.looks((1, Glance(heard=True)), (10, closing), (31, closing)),
            ["", "", "did not let go for 30 s"],
        )

    def test_never(self) -> None:
        """A time of 0 stands for never."""
        limits = evolve(LIMITS, first_byte_timeout=0, idle_timeout=0)
        self.assertEqual(self.looks((9e9, Glance()), limits=limits), [""])
