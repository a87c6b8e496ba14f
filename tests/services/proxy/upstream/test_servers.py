"""Servers together: who is fit, backups, trials, and shares that grow."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.upstream.balancing import Policy
from netkit.services.proxy.upstream.health import State, Terms
from netkit.services.proxy.upstream.servers import Server, Servers, Shown

TERMS = Terms(max_fails=1, fail_timeout=10)


def server(
    name: str, terms: Terms = TERMS, *, weight: int = 1, backup: bool = False
) -> Server[str]:
    """Return a server whose way is its name."""
    return Server(name, name, terms, weight=weight, backup=backup)


class Choosing(SynchronousTestCase):
    def names(self, servers: Servers[str], times: int) -> str:
        """Return the names of the servers chosen so many times, whose requests end at once."""
        names = ""
        for _ in range(times):
            chosen = servers.choose()
            if chosen is not None:
                servers.over(chosen)
                names += chosen.name
        return names

    def test_turns(self) -> None:
        """Servers are asked in turn, by weight; those that are down are not."""
        servers = Servers([server("a", weight=2), server("b"), server("c")])
        self.assertEqual(Counter(self.names(servers, 8)), {"a": 4, "b": 2, "c": 2})
        self.assertTrue(servers.failed(servers.all[0], 0))
        self.assertEqual(self.names(servers, 4), "bcbc")

    def test_last(self) -> None:
        """Requests that fail do not put the last server down."""
        servers = Servers([server("a"), server("b")])
        self.assertEqual([servers.failed(each, 0) for each in servers.all], [True, False])
        self.assertEqual(self.names(servers, 2), "bb")

    def test_nobody(self) -> None:
        """Where all are down there is nobody."""
        servers = Servers([server("a"), server("b")])
        for each in servers.all:
            for _ in range(3):
                servers.checked(each, 0, well=False)
        self.assertIsNone(servers.choose())
        self.assertIsNone(servers.choose(b"", [servers.all[0]]))

    def test_backup(self) -> None:
        """A backup is asked where no other is fit, or all others have been asked."""
        servers = Servers([server("a"), server("z", backup=True)])
        self.assertEqual(self.names(servers, 3), "aaa")
        chosen = servers.choose(b"", [servers.all[0]])
        self.assertIs(chosen, servers.all[1])
        servers.failed(servers.all[0], 0)
        self.assertEqual(self.names(servers, 2), "zz")

    def test_others(self) -> None:
        """Who has been asked in vain is not asked again."""
        servers = Servers([server("a"), server("b")])
        first, second = servers.all
        self.assertIs(servers.choose(b"", [first]), second)
        self.assertIsNone(servers.choose(b"", [first, second]))

    def test_trial(self) -> None:
        """A server whose time out is over gets one request at a time, until one is answered."""
        servers = Servers([server("a"), server("b")])
        servers.failed(servers.all[0], 0)
        servers.look(9)
        self.assertEqual(self.names(servers, 2), "bb")
        servers.look(10)
        chosen = [servers.choose() for _ in range(4)]
        self.assertEqual([each.name for each in chosen if each], ["a", "b", "b", "b"])
        servers.over(servers.all[0])  # neither answered nor failed: its client has left
        self.assertIs(servers.choose(), servers.all[0])
        self.assertTrue(servers.answered(servers.all[0], 10))
        servers.over(servers.all[0])
        self.assertEqual(Counter(self.names(servers, 4)), {"a": 2, "b": 2})

    def test_long_trial(self) -> None:
        """A trial is over with its answer, however long that goes on."""
        servers = Servers([server("a"), server("b")])
        first = servers.all[0]
        for now in (0, 100):
            servers.failed(first, now)
            servers.look(now + 10)
            self.assertIs(servers.choose(b"", servers.all[1:]), first)
            self.assertTrue(servers.answered(first, now + 10))
        self.assertEqual(first.active, 2)

    def test_slow_start(self) -> None:
        """A server that comes back gets more and more, up to its share."""
        terms = Terms(max_fails=1, fail_timeout=1, checked=True, rise=1, slow_start=10)
        servers = Servers([server("a", terms), server("b", terms)])
        servers.failed(servers.all[0], 0)
        servers.checked(servers.all[0], 2, well=True)
        counts = []
        for now in (2, 4, 7, 12):
            servers.look(now)
            counts.append(self.names(servers, 600).count("a"))
        self.assertEqual(counts[-1], 300)
        self.assertEqual(counts, sorted(counts))
        self.assertLess(counts[0], 10)
        self.assertTrue(190 < counts[2] < 210)

    def test_key(self) -> None:
        """A key has its server, and that of the others which is next where it is down."""
        servers = Servers([server(name) for name in "abcd"], Policy.HASH)
        chosen = servers.choose(b"key")
        assert chosen is not None
        self.assertIs(servers.choose(b"key"), chosen)
        other = servers.choose(b"key", [chosen])
        servers.failed(chosen, 0)
        self.assertIs(servers.choose(b"key"), other)

    def test_cookie(self) -> None:
        """A cookie names a server as long as it is fit; anything else names none."""
        servers = Servers([server("a"), server("b"), server("z", backup=True)])
        for each in servers.all[:2]:
            self.assertIs(servers.named(each.cookie), each)
        for written in (b"", b"a", servers.all[2].cookie, bytes(1000)):
            self.assertIsNone(servers.named(written))
        servers.failed(servers.all[0], 0)
        self.assertIsNone(servers.named(servers.all[0].cookie))

    def test_least_busy(self) -> None:
        """Requests that are not over count."""
        servers = Servers([server("a"), server("b")], Policy.LEAST_CONNECTIONS)
        first, second = servers.choose(), servers.choose()
        assert first is not None
        self.assertIsNot(first, second)
        servers.over(first)
        self.assertIs(servers.choose(), first)

    def test_shown(self) -> None:
        """How the servers are at a moment is a value."""
        servers = Servers([server("a", weight=3), server("z", backup=True)])
        servers.choose()
        servers.failed(servers.all[0], 0)
        self.assertEqual(
            servers.shown(),
            (Shown("a", State.DOWN, 3, False, 1, 1), Shown("z", State.UP, 1, True, 0, 0)),
        )

    @given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60))
    @settings(deadline=None, max_examples=80)
    def test_never_unfit(self, events: list[tuple[int, int]]) -> None:
        """Whatever happens, who is chosen is fit, and every request is counted until it is over."""
        servers = Servers([server("a"), server("b"), server("z", backup=True)])
        going: list[Server[str]] = []
        for now, (event, which) in enumerate(events):
            if event == 0:
                fit = [each for each in servers.all if each.fit]
                chosen = servers.choose()
                self.assertEqual(chosen is None, not fit)
                if chosen is not None:
                    self.assertIn(chosen, fit)
                    going.append(chosen)
            elif going:
                ended = going.pop(which % len(going))
                if event > 1:
                    (servers.failed if event == 2 else servers.answered)(ended, now)
                servers.over(ended)
            servers.look(now)
            for each in servers.all:
                self.assertEqual(each.active, going.count(each))
