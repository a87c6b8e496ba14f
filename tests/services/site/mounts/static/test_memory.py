"""What is remembered, within limits."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.mounts.static.memory import Memory


class Remembering(SynchronousTestCase):
    def test_count(self) -> None:
        """The value that was not used for longest goes first."""
        memory: Memory[str, int] = Memory(2)
        memory.put("a", 1)
        memory.put("b", 2)
        self.assertEqual(memory.get("a"), 1)
        memory.put("c", 3)
        self.assertEqual([memory.get(key) for key in "abc"], [1, None, 3])

    def test_weight(self) -> None:
        """Values go until the rest is light enough; one too heavy by itself is not held."""
        memory: Memory[str, bytes] = Memory(10, 10, len)
        memory.put("a", b"12345")
        memory.put("b", b"12345")
        memory.put("c", b"1")
        self.assertEqual([memory.get(key) for key in "abc"], [None, b"12345", b"1"])
        memory.put("b", b"x" * 11)
        self.assertEqual([memory.get(key) for key in "abc"], [None, None, b"1"])
        self.assertEqual(memory.weight, 1)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=12))))
    def test_limits(self, puts: list[tuple[int, bytes]]) -> None:
        """Whatever is put in, count and weight stay within their limits, and are right."""
        memory: Memory[int, bytes] = Memory(3, 10, len)
        for key, value in puts:
            memory.put(key, value)
            held = [memory.get(each) for each in range(6)]
            self.assertEqual(memory.weight, sum(len(each) for each in held if each))
            self.assertLessEqual(memory.weight, 10)
            self.assertLessEqual(len(memory), 3)
