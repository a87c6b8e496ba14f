"""What a value may be, and how hostile text is shown."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import Between, did_you_mean, printable, quoted


class CheckTests(SynchronousTestCase):
    def test_between(self) -> None:
        """Both ends of a range are in it, and a complaint names the range and its unit."""
        check = Between(1, 10, "seconds")
        self.assertIsNone(check.complaint(1))
        self.assertIsNone(check.complaint(10))
        self.assertEqual(check.complaint(11), "11 is out of range; 1 to 10 seconds")

    def test_did_you_mean(self) -> None:
        """A slip gets the nearest name, anything else all of them."""
        self.assertEqual(did_you_mean("statc", ["static", "form"]), 'did you mean "static"?')
        self.assertEqual(did_you_mean("zzz", ["static", "form"]), 'one of "form", "static"')
        self.assertEqual(did_you_mean("zzz", []), "nothing may stand here")


class PrintableTests(SynchronousTestCase):
    def test_escapes(self) -> None:
        """What a terminal would act on is written out; letters of any script stay."""
        self.assertEqual(printable("\x1b[31m\r\n\x9b\u202e"), "\\x1b[31m\\r\\n\\x9b\\u202e")
        self.assertEqual(printable("Grüße, 世界"), "Grüße, 世界")

    @settings(deadline=None)
    @given(st.text(st.characters()))
    def test_any_text(self, text: str) -> None:
        """No control character comes out, whatever goes in, and the result can be encoded."""
        shown = printable(text)
        self.assertFalse([c for c in shown if ord(c) < 32 or 127 <= ord(c) < 160])
        shown.encode()

    def test_quoted_is_short(self) -> None:
        """A quotation never fills a line."""
        self.assertEqual(len(quoted("x" * 10_000)), 82)
