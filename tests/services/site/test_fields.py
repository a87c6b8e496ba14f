"""Header rules change what answers say, and never how they are framed."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Response
from netkit.services.site.fields import _VALUE, FieldName, FieldRule, FieldRules, complaints


class Changing(SynchronousTestCase):
    def test_set_and_remove(self) -> None:
        """A field is set in the place of others of its name, in any case, or removed."""
        rules = FieldRules((FieldRule("/a/*", {"X-Frame-Options": "DENY"}, ("Server", "x-old")),))
        before = Response(
            200,
            (
                (b"x-frame-options", b"a"),
                (b"X-Frame-Options", b"b"),
                (b"X-OLD", b"c"),
                (b"ETag", b"d"),
            ),
            b"",
            repeatable=True,
        )
        after = rules.changed(before, "/a/b")
        self.assertEqual(after.headers, ((b"ETag", b"d"), (b"X-Frame-Options", b"DENY")))
        self.assertTrue(after.repeatable)
        self.assertIs(rules.changed(before, "/a"), before)

    def test_longest_has_the_last_word(self) -> None:
        """All rules that fit are followed, the longest path last and a whole one after all."""
        rules = FieldRules(
            (
                FieldRule("/a", {"X": "whole"}),
                FieldRule("/a/b/*", {"X": "deep"}),
                FieldRule("/*", {"X": "all", "Y": "all"}),
            )
        )
        for path, headers in (
            ("/", ((b"X", b"all"), (b"Y", b"all"))),
            ("/a", ((b"Y", b"all"), (b"X", b"whole"))),
            ("/a/b/c", ((b"Y", b"all"), (b"X", b"deep"))),
        ):
            self.assertEqual(rules.changed(Response(200), path).headers, headers)


class Writing(SynchronousTestCase):
    def test_names(self) -> None:
        """A name is a token, and none that frames the message, in any case."""
        for name in ("X", "Cache-Control", "server", "x!#$%&'*+.^_`|~"):
            self.assertIsNone(FieldName().complaint(name))
        for name in ("", "a b", "a:", "a\r\nb", "\u00e9", "x" * 101):
            self.assertIn("is no name", FieldName().complaint(name) or "")
        for name in (
            "Content-Length",
            "transfer-encoding",
            "CONNECTION",
            "Upgrade",
            "Trailer",
            "TE",
        ):
            self.assertIn("the server's own", FieldName().complaint(name) or "")

    def test_values(self) -> None:
        """A value is one line of printable ASCII, or empty."""
        for value in ("", "a", "max-age=60, public"):
            self.assertIsNone(_VALUE.complaint(value))
        for value in (
            " a",
            "a ",
            "a\r\nSet-Cookie: x",
            "a\nb",
            "a\x00",
            "a\tb",
            "\u00e9",
            "x" * 5000,
        ):
            self.assertIn("is not right", _VALUE.complaint(value) or "")

    def test_complaints(self) -> None:
        """Names in a table are complaints at their key; a rule that does nothing is one too."""
        found = list(complaints((FieldRule(set={"Content-Length": "1"}), FieldRule("/a"))))
        self.assertEqual([each.path for each in found], [(0, "set", "Content-Length"), (1,)])
