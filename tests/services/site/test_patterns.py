"""Which paths a rule is for."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.patterns import PathPattern, RulePath


class Patterns(SynchronousTestCase):
    def test_rest(self) -> None:
        """A path fits itself alone; with a * everything below it."""
        for written, path, rest in (
            ("/old", "/old", ""),
            ("/old", "/old/", None),
            ("/old", "/older", None),
            ("/old/", "/old/", ""),
            ("/", "/", ""),
            ("/", "/x", None),
            ("/*", "/x/y", "x/y"),
            ("/*", "/", ""),
            ("/old/*", "/old", None),
            ("/old/*", "/old/", ""),
            ("/old/*", "/old//x", "/x"),
            ("/old/*", "/older/x", None),
        ):
            self.assertEqual(PathPattern.of(written).rest(path), rest)

    def test_right(self) -> None:
        """Paths are decoded, whole or with all below them."""
        for written in ("/", "/*", "/a", "/a/", "/a/b/*", "/gr\u00f6\u00dfe"):
            self.assertIsNone(RulePath().complaint(written))

    def test_wrong(self) -> None:
        """Anything else is wrong."""
        for written in (
            "",
            "a",
            "*",
            "/a*",
            "/*/a",
            "//",
            "/a//*",
            "/../a",
            "/a/.",
            "/a%20",
            "/a?b",
            "/a b",
        ):
            self.assertIn('"/old/*"', RulePath().complaint(written) or "")
