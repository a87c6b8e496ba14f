"""Policies: exact shares in turn, the least busy, and keys that stay where they were."""

from collections import Counter

from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.upstream.balancing import by_key, in_turn, least_busy, seed

WEIGHTS = st.lists(st.integers(1, 20), min_size=1, max_size=8)


@define(eq=False)
class Candidate:
    """A server, as far as a choice depends on it."""

    weight: int
    number: int = 0
    credit: int = 0
    active: int = 0
    share: int = field()
    seed: int = field()

    @share.default
    def _share(self) -> int:
        return self.weight

    @seed.default
    def _seed(self) -> int:
        return seed(f"server {self.number}")


def candidates(*weights: int) -> list[Candidate]:
    """Return a candidate of each weight."""
    return [Candidate(weight, number) for number, weight in enumerate(weights)]


class InTurn(SynchronousTestCase):
    def test_smooth(self) -> None:
        """A server of large weight is spread among the others, as in nginx's own example."""
        all_of_them = candidates(5, 1, 1)
        order = "".join("abc"[in_turn(all_of_them).number] for _ in range(7))
        self.assertEqual(order, "aabacaa")

    @given(WEIGHTS, st.integers(0, 50))
    @settings(deadline=None, max_examples=60)
    def test_exact(self, weights: list[int], before: int) -> None:
        """Wherever one begins to count, a whole round has each server exactly by its weight."""
        all_of_them = candidates(*weights)
        for _ in range(before):
            in_turn(all_of_them)
        counted = Counter(in_turn(all_of_them).number for _ in range(sum(weights)))
        self.assertEqual([counted[number] for number in range(len(weights))], weights)


class LeastBusy(SynchronousTestCase):
    def test_fewest(self) -> None:
        """The one with the fewest requests for its share is chosen."""
        one, two, three = candidates(1, 2, 1)
        one.active, two.active, three.active = 2, 3, 2
        self.assertIs(least_busy([one, two, three]), two)

    def test_even(self) -> None:
        """Of several that are equally busy each has its turn."""
        all_of_them = candidates(1, 1, 1)
        self.assertEqual({least_busy(all_of_them).number for _ in range(3)}, {0, 1, 2})

    @given(WEIGHTS, st.integers(1, 100))
    @settings(deadline=None, max_examples=60)
    def test_bounded(self, weights: list[int], requests: int) -> None:
        """Requests that do not end are spread by weight, to within one."""
        all_of_them = candidates(*weights)
        for _ in range(requests):
            least_busy(all_of_them).active += 1
        for each in all_of_them:
            self.assertLess(each.active, requests * each.weight / sum(weights) + len(weights) + 1)


class ByKey(SynchronousTestCase):
    @given(WEIGHTS, st.binary(max_size=40), st.integers(0, 7))
    @settings(deadline=None, max_examples=100)
    def test_stays(self, weights: list[int], key: bytes, gone: int) -> None:
        """A key stays with its server when another one goes, in whatever order they stand."""
        all_of_them = candidates(*weights)
        chosen = by_key(all_of_them, key)
        left = [each for each in all_of_them if each.number != gone]
        if chosen in left:
            self.assertIs(by_key(left, key), chosen)
            self.assertIs(by_key(left[::-1], key), chosen)

    def test_few_move(self) -> None:
        """When a server comes to nine, a tenth of the keys goes there, and none anywhere else."""
        nine, ten = candidates(*[1] * 9), candidates(*[1] * 10)
        moved: Counter[int] = Counter()
        for number in range(5000):
            key = b"%d" % number
            before, after = by_key(nine, key).number, by_key(ten, key).number
            if before != after:
                moved[after] += 1
        self.assertEqual(set(moved), {9})
        self.assertTrue(400 < moved[9] < 600)

    def test_weights(self) -> None:
        """Keys are shared out by weight, also where they are much alike."""
        all_of_them = candidates(1, 3)
        counted = Counter(by_key(all_of_them, b"192.0.2.%d" % each).number for each in range(4000))
        self.assertTrue(900 < counted[0] < 1100)
