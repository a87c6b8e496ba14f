"""Forms as names and values."""

from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.forms import (
    FORM_BYTES,
    FORM_FIELDS,
    FormTooLargeError,
    NotAFormError,
    fields,
    grouped,
)

TYPE = b"application/x-www-form-urlencoded"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


class Fields(SynchronousTestCase):
    def test_order_and_repetition(self) -> None:
        """Fields keep their order, repeated ones all their values, empty ones included."""
        form = fields(b"b=2&a=1&b=&c&b=%C3%BC+x", TYPE)
        self.assertEqual(form, (("b", "2"), ("a", "1"), ("b", ""), ("c", ""), ("b", "\u00fc x")))
        self.assertEqual(grouped(form), {"b": ("2", "", "\u00fc x"), "a": ("1",), "c": ("",)})

    def test_types(self) -> None:
        """The type is compared without case and parameters; any other is no form."""
        self.assertEqual(fields(b"", b"Application/X-WWW-Form-Urlencoded ; charset=x"), ())
        for kind in (None, b"", b"multipart/form-data; boundary=x", b"text/plain"):
            self.assertRaises(NotAFormError, fields, b"a=1", kind)

    def test_limits(self) -> None:
        """A form may have FORM_FIELDS fields and FORM_BYTES bytes, and no more."""
        self.assertEqual(len(fields(b"&".join([b"a=1"] * FORM_FIELDS), TYPE)), FORM_FIELDS)
        many = b"&".join([b"a"] * (FORM_FIELDS + 1))
        self.assertRaises(FormTooLargeError, fields, many, TYPE)
        self.assertEqual(len(fields(b"a" * FORM_BYTES, TYPE)), 1)
        self.assertRaises(FormTooLargeError, fields, b"a" * (FORM_BYTES + 1), TYPE)

    def test_semicolons(self) -> None:
        """A semicolon separates nothing."""
        self.assertEqual(fields(b"a=1;b=2", TYPE), (("a", "1;b=2"),))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(TEXTS, TEXTS), max_size=10))
    def test_round_trip(self, form: list[tuple[str, str]]) -> None:
        """What the standard library writes is read as it was."""
        written = urlencode(form).encode()
        expected = tuple(form) if written else ()
        self.assertEqual(fields(written, TYPE), expected)

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=200))
    def test_rubbish(self, body: bytes) -> None:
        """Any bytes are some form of text that UTF-8 can write."""
        for name, value in fields(body, TYPE):
            (name + value).encode()
