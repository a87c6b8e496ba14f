"""The tree of patterns; what it finds is tested with the interest that it is a part of."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.subjects import WILD_TOKENS
from netkit.services.pubsub.subscriptions import Subscription
from netkit.services.pubsub.tree import Node, Tree


def _form(run: Published) -> bytes:
    return run.subject


def _nodes(node: Node[str]) -> int:
    below = [node.star] if node.star else []
    return 1 + sum(map(_nodes, [*below, *(node.tokens or {}).values()]))


class TreeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.tree: Tree[str] = Tree()

    def _insert(self, pattern: bytes) -> Subscription[str]:
        subscription = Subscription(pattern, _form, "x")
        self.tree.insert(subscription)
        return subscription

    def test_shared(self) -> None:
        """Patterns share the nodes of the tokens with which they begin, and `>` takes none."""
        for pattern in (b"a.b.*", b"a.b.>", b"a.*", b">"):
            self._insert(pattern)
        self.assertEqual(_nodes(self.tree._root), 5)

    def test_nothing_stays(self) -> None:
        """A pattern that goes takes along the nodes that only it needed."""
        stays = self._insert(b"a.*.c")
        for pattern in (b"a.*.c.*", b"a.*", b"a.b.*.d", b"*", b"x.y.z.>", b"a.*.c.>", b"a.*.c"):
            with self.subTest(pattern):
                before = _nodes(self.tree._root)
                self.tree.remove(self._insert(pattern))
                self.assertEqual(_nodes(self.tree._root), before)
        self.tree.remove(stays)
        self.assertEqual(_nodes(self.tree._root), 1)

    def test_places(self) -> None:
        """Every pattern has its place, once."""
        patterns = {b"a.*", b"a.>", b"*", b">", b"*.*.b", b"b.*.>"}
        for pattern in patterns:
            self._insert(pattern)
            self._insert(pattern)
        self.assertEqual(len(list(self.tree.places())), len(patterns))

    def test_many_ways(self) -> None:
        """A subject finds each of the patterns that part at every token."""
        for number in range(2**10):
            tokens = [b"*" if number >> place & 1 else b"a" for place in range(10)]
            self._insert(b".".join([*tokens, b"*"]))
        self.assertEqual(len(self.tree.matching([b"a"] * 11)), 2**10)
        self.assertEqual(len(self.tree.matching([b"b", *[b"a"] * 10])), 2**9)
        self.assertEqual(self.tree.matching([b"a"] * 12), [])

    def test_deep(self) -> None:
        """The longest pattern there may be is found."""
        self._insert(b".".join([b"*"] * WILD_TOKENS))
        self.assertEqual(len(self.tree.matching([b"a"] * WILD_TOKENS)), 1)
        self.assertEqual(self.tree.matching([b"a"] * 2000), [])
