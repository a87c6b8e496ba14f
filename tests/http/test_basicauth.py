"""Basic authentication on the wire (RFC 7617)."""

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.basicauth import Credentials, challenge, credentials

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=20)


def written(text: str) -> bytes:
    """Return the field that says `text`."""
    return b"Basic " + b64encode(text.encode())


class BasicTests(SynchronousTestCase):
    def test_examples_of_the_rfc(self) -> None:
        """The two examples of RFC 7617 are understood, whatever the case of the scheme."""
        aladdin = Credentials("Aladdin", "open sesame")
        for scheme in (b"Basic", b"basic", b"BASIC"):
            self.assertEqual(credentials(scheme + b" QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin)
        self.assertEqual(credentials(b"Basic dGVzdDoxMjPCow=="), Credentials("test", "123\u00a3"))

    def test_refused(self) -> None:
        """What is missing, of another scheme or wrongly formed says nothing of anybody."""
        for value in (
            None,
            b"",
            b"Basic",
            b"Basic ",
            b"BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            b"Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ",  # no padding
            b"Basic QWxh*GRpbg==",
            b"Basic YTpi=",
            b"Basic YTpiYw==YTpi",
            b"Basic =YTpi",
            b"Basic \xff\xff\xff\xff",
            b"Basic " + b64encode(b"no colon"),
            b"Basic " + b64encode(b"a:\xff\xfe"),
            b"Basic " + b64encode(b"a\nb:c"),
            b"Basic " + b64encode(b"a:b\x00"),
            b"Basic " + b64encode("a:\u0085".encode()),
            b"Basic YTpi, Basic YTpi",  # two fields
            b"Basic " + b64encode(b"a:" + b"x" * 1_000_000),
        ):
            self.assertIsNone(credentials(value))

    def test_no_password_is_shown(self) -> None:
        """Whoever prints credentials prints no password."""
        self.assertNotIn("sesame", repr(Credentials("a", "sesame")))

    def test_challenge(self) -> None:
        """A client is asked in the scheme's words, and told how to write letters."""
        self.assertEqual(challenge("the site"), b'Basic realm="the site", charset="UTF-8"')

    @settings(deadline=None, max_examples=100)
    @given(PRINTABLE, PRINTABLE)
    def test_any_login(self, user: str, password: str) -> None:
        """Whatever is written is read; the first colon ends the name."""
        user = user.replace(":", "")
        self.assertEqual(credentials(written(f"{user}:{password}")), Credentials(user, password))

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=60))
    def test_rubbish(self, data: bytes) -> None:
        """Any bytes are credentials or None."""
        credentials(data)
        credentials(b"Basic " + data)
        credentials(b"Basic " + b64encode(data))
