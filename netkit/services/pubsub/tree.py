"""The patterns with wildcards, as a tree: one node a token.

Rule: a way through the tree takes no recursion, and a node that leads nowhere is not kept.
"""

from collections.abc import Iterator
from typing import Generic

from attrs import define

from netkit.services.pubsub.subscriptions import (
    Place,
    Subscription,
    To,
    with_one,
    without_one,
)


@define(eq=False, weakref_slot=False)
class Node(Generic[To]):
    """The patterns that begin with the same tokens.

    `here` has those that end with them, `rest` those on which only `>` follows. The next token is
    `*` under `star`, and any other one under `tokens`.
    """

    here: Place[To] | None = None
    rest: Place[To] | None = None
    star: "Node[To] | None" = None
    tokens: "dict[bytes, Node[To]] | None" = None

    def next(self, token: bytes) -> "Node[To] | None":
        """Return where the patterns go on with `token`, if any do."""
        if token == b"*":
            return self.star
        return None if self.tokens is None else self.tokens.get(token)

    def grown(self, token: bytes) -> "Node[To]":
        """Return where the patterns go on with `token`, a new node if need be."""
        node = self.next(token)
        if node is None:
            node = Node()
            if token == b"*":
                self.star = node
            elif self.tokens is None:
                self.tokens = {token: node}
            else:
                self.tokens[token] = node
        return node

    def cut(self, token: bytes) -> bool:
        """Drop the node under `token` if it leads nowhere; return whether it did."""
        node = self.next(token)
        if node is None or node.here or node.rest or node.star or node.tokens:
            return False
        if token == b"*":
            self.star = None
        elif self.tokens is not None:
            del self.tokens[token]
            self.tokens = self.tokens or None
        return True


class Tree(Generic[To]):
    """The subscriptions to patterns with wildcards."""

    def __init__(self) -> None:
        self._root: Node[To] = Node()

    def insert(self, subscription: Subscription[To]) -> bool:
        """Add a subscription; return whether no other has its pattern and queue."""
        node = self._root
        tokens = subscription.pattern.split(b".")
        for token in tokens[:-1]:
            node = node.grown(token)
        if tokens[-1] == b">":
            node.rest, first = with_one(node.rest, subscription)
        else:
            node = node.grown(tokens[-1])
            node.here, first = with_one(node.here, subscription)
        return first

    def remove(self, subscription: Subscription[To]) -> bool:
        """Remove a subscription; return whether no other has its pattern and queue.

        KeyError: it is not there.
        """
        way = [self._root]
        tokens = subscription.pattern.split(b".")
        if rest := tokens[-1] == b">":
            tokens.pop()
        for token in tokens:
            node = way[-1].next(token)
            if node is None:
                raise KeyError(subscription)
            way.append(node)
        last = _taken(way[-1], subscription, rest=rest)
        while tokens and way[-2].cut(tokens.pop()):
            way.pop()
        return last

    def at(self, pattern: bytes) -> Place[To] | None:
        """Return what stands at just this pattern."""
        node = self._root
        tokens = pattern.split(b".")
        if rest := tokens[-1] == b">":
            tokens.pop()
        for token in tokens:
            found = node.next(token)
            if found is None:
                return None
            node = found
        return node.rest if rest else node.here

    def matching(self, tokens: list[bytes]) -> list[Place[To]]:
        """Return what stands at the patterns that match the subject with these tokens."""
        found = []
        level = [self._root]
        for token in tokens:
            deeper = []
            for node in level:
                if node.rest is not None:
                    found.append(node.rest)
                if node.star is not None:
                    deeper.append(node.star)
                if node.tokens is not None and (child := node.tokens.get(token)) is not None:
                    deeper.append(child)
            level = deeper
            if not level:
                break
        return [*found, *(node.here for node in level if node.here is not None)]

    def places(self) -> Iterator[Place[To]]:
        """Yield what stands at each pattern."""
        nodes = [self._root]
        while nodes:
            node = nodes.pop()
            yield from (place for place in (node.here, node.rest) if place is not None)
            if node.star is not None:
                nodes.append(node.star)
            nodes.extend((node.tokens or {}).values())


def _taken(node: Node[To], subscription: Subscription[To], *, rest: bool) -> bool:
    if rest:
        node.rest, last = without_one(node.rest, subscription)
    else:
        node.here, last = without_one(node.here, subscription)
    return last
