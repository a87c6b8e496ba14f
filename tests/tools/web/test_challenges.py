"""What servers ask for."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.web.challenges import Challenge, challenges, parse

_NAME = st.text("abcdefgh-", min_size=1, max_size=6)
_VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
_CHALLENGE = st.builds(Challenge, _NAME, st.dictionaries(_NAME, _VALUE, max_size=4))


def written(challenge: Challenge) -> str:
    """Return a challenge as a server would write it."""
    parameters = ", ".join(
        '{}="{}"'.format(name, value.replace("\\", "\\\\").replace('"', '\\"'))
        for name, value in challenge.parameters.items()
    )
    return f"{challenge.scheme} {parameters}".rstrip(" ")


class ParseTests(SynchronousTestCase):
    def test_several(self) -> None:
        """Challenges of one field, or of several, are told apart (RFC 9110 11.6.1)."""
        value = b'Basic realm="a, b", Newauth realm = apps , type=1, title="Login to \\"apps\\""'
        basic = Challenge("basic", {"realm": "a, b"})
        new = Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Login to "apps"'})
        self.assertEqual(parse(value), (basic, new))
        fields = ((b"WWW-Authenticate", b"Negotiate"), (b"x", b"y"), (b"www-authenticate", value))
        self.assertEqual(challenges(fields), (Challenge("negotiate"), basic, new))

    def test_tokens(self) -> None:
        """A scheme with a token instead of parameters has none."""
        self.assertEqual(parse(b"NTLM abc=="), (Challenge("ntlm"),))

    def test_first_counts(self) -> None:
        """Of parameters of one name the first counts."""
        self.assertEqual(parse(b"Basic realm=a, realm=b")[0].realm, "a")

    @settings(deadline=None, max_examples=100)
    @given(st.lists(_CHALLENGE, max_size=4))
    def test_round(self, given_ones: list[Challenge]) -> None:
        """What is written as the RFC says is read back."""
        value = ", ".join(map(written, given_ones)).encode()
        self.assertEqual(parse(value), tuple(given_ones))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=80))
    def test_any_bytes(self, value: bytes) -> None:
        """No value raises."""
        for challenge in parse(b"Digest " + value):
            self.assertEqual(challenge.scheme, challenge.scheme.lower())
