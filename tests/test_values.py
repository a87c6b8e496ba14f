"""Values of our own `frozen` are values as those of attrs are."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.values import frozen


@frozen
class Point:
    """A value."""

    x: int
    y: int = 0


@frozen(kw_only=True)
class Named:
    """A value whose fields are said by name."""

    name: str


class Frozen(SynchronousTestCase):
    """What is made."""

    def test_equal_values_are_one_key(self) -> None:
        """Values are compared and hashed by their fields."""
        self.assertEqual(Point(1), Point(1, 0))
        self.assertNotEqual(Point(1), Point(2))
        self.assertEqual(len({Point(1), Point(1, 0), Point(2)}), 2)

    def test_no_other_fields(self) -> None:
        """A value has its fields and no room for others."""
        self.assertRaises(AttributeError, setattr, Point(1), "z", 1)

    def test_by_name(self) -> None:
        """`kw_only` is what it is with attrs."""
        self.assertEqual(Named(name="a").name, "a")
        self.assertRaises(TypeError, Named, "a")
