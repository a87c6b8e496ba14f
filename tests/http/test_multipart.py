"""Forms with files in them, cut into parts."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.forms import FormTooLargeError, NotAFormError
from netkit.http.multipart import Parts, parts

_TYPE = b"multipart/form-data; boundary=xyz"
_names = st.binary(min_size=1, max_size=20).filter(lambda name: not set(name) & set(b'\r\n\\"'))
_contents = st.binary(max_size=60) | st.sampled_from([b"\r\n--xy", b"x--xyz", b"\r\n", b"\r\n\r\n"])


def _written(form: Parts, boundary: bytes = b"xyz") -> bytes:
    body = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="f"\r\n\r\n%b\r\n'
        % (boundary, name, content)
        for name, content in form
    )
    return body + b"--%b--\r\n" % boundary


class PartsTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(_names, _contents), max_size=5))
    def test_there_and_back(self, form: list[tuple[bytes, bytes]]) -> None:
        """What a browser has put together comes apart as it was."""
        whole = tuple(form)
        self.assertEqual(parts(_written(whole), _TYPE, at_most=5), whole)

    @settings(deadline=None, max_examples=60)
    @given(st.binary(max_size=200))
    def test_rubbish(self, body: bytes) -> None:
        """Anything else is refused as no form."""
        with self.assertRaises(NotAFormError):
            parts(body, _TYPE, at_most=5)

    def test_boundary_in_quotes(self) -> None:
        """A boundary may be quoted, and anything that stands in it is taken by its letters."""
        body = _written(((b"a", b"1"),), b"a+b (c).d")
        found = parts(body, b'multipart/form-data; boundary="a+b (c).d"; x=y', at_most=5)
        self.assertEqual(found, ((b"a", b"1"),))

    def test_no_boundary(self) -> None:
        """A form without a boundary, or with an empty one, is refused."""
        for written in (b"multipart/form-data", b"multipart/form-data; boundary="):
            with self.assertRaises(NotAFormError):
                parts(_written(()), written, at_most=5)

    def test_cut(self) -> None:
        """A form whose last part has no end is refused, wherever it was cut."""
        body = _written(((b"a", b"1"), (b"b", b"2")))
        for length in range(len(body) - 4):
            with self.assertRaises(NotAFormError):
                parts(body[:length], _TYPE, at_most=5)

    def test_too_many(self) -> None:
        """More parts than there may be are not even looked for."""
        form = ((b"a", b""),) * 5
        self.assertEqual(parts(_written(form), _TYPE, at_most=5), form)
        with self.assertRaises(FormTooLargeError):
            parts(_written((*form, *form)), _TYPE, at_most=5)

    def test_names(self) -> None:
        """A part without a name is left out; `filename` is none, and quotes can be escaped."""
        body = (
            b"--xyz\r\n\r\nnothing\r\n"
            b'--xyz\r\ncontent-disposition: form-data; filename="name=x"\r\n\r\nfile\r\n'
            b'--xyz\r\nX: y\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n1\r\n'
            b"--xyz  \r\nContent-Disposition: form-data; name=c\r\n\r\n2\r\n--xyz--"
        )
        self.assertEqual(parts(body, _TYPE, at_most=9), ((b'a"b', b"1"), (b"c", b"2")))
