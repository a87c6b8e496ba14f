"""How logins are proved."""

from base64 import b64decode

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.basicauth import Credentials, credentials
from netkit.tools.web.authentication import Digest, is_stale, proof, strongest
from netkit.tools.web.challenges import Challenge, parse

MUFASA = Credentials("Mufasa", "Circle of Life")
_NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
_OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def challenge(value: str) -> Challenge:
    """Return the one challenge of a value."""
    [found] = parse(value.encode())
    return found


def example(algorithm: str) -> Challenge:
    """Return the challenge of RFC 7616 3.9.1."""
    return challenge(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{_NONCE}", opaque="{_OPAQUE}"'
    )


def parameters(value: bytes) -> dict[str, str]:
    """Return what stands in an Authorization."""
    return dict(challenge(value.decode()).parameters)


class DigestTests(SynchronousTestCase):
    def test_example(self) -> None:
        """The example of RFC 7616 3.9.1 comes out as it says, for both algorithms."""
        for algorithm, response in {
            "MD5": "8ca523f5e9506fed4657c9700eebdbec",
            "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        }.items():
            digest = Digest(example(algorithm), MUFASA, lambda: _CNONCE)
            said = parameters(digest.authorization(b"GET", b"/dir/index.html"))
            self.assertEqual(
                said,
                {
                    "username": "Mufasa",
                    "realm": "http-auth@example.org",
                    "uri": "/dir/index.html",
                    "algorithm": algorithm,
                    "nonce": _NONCE,
                    "nc": "00000001",
                    "cnonce": _CNONCE,
                    "qop": "auth",
                    "response": response,
                    "opaque": _OPAQUE,
                },
            )

    def test_hidden_user(self) -> None:
        """The example of RFC 7616 3.9.2 has its user hidden as it says."""
        asked = challenge(
            'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
            'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="x", userhash=true'
        )
        login = Credentials("J\u00e4s\u00f8n Doe", "Secret, or not?")
        said = parameters(Digest(asked, login, lambda: "n").authorization(b"GET", b"/doe.json"))
        # RFC 7616's own figure is that of another algorithm (its errata 4897).
        self.assertEqual(len(said["username"]), 64)
        self.assertEqual(said["userhash"], "true")

    def test_user_beyond_ascii(self) -> None:
        """A user whose name is not ASCII is named as RFC 7616 3.4.4 has it."""
        digest = Digest(example("MD5"), Credentials("J\u00e4s", "x"), lambda: "n")
        self.assertIn(b"username*=UTF-8''J%C3%A4s,", digest.authorization(b"GET", b"/"))

    def test_count(self) -> None:
        """No count is used twice with a nonce."""
        digest = Digest(example("MD5"), MUFASA, lambda: "n")
        counts = [parameters(digest.authorization(b"GET", b"/"))["nc"] for _ in range(3)]
        self.assertEqual(counts, ["00000001", "00000002", "00000003"])

    def test_session(self) -> None:
        """With -sess the client's nonce stays, and the response is another."""
        nonces = iter("abcdef")
        digest = Digest(example("MD5-sess"), MUFASA, lambda: next(nonces))
        one, two = (parameters(digest.authorization(b"GET", b"/")) for _ in range(2))
        self.assertEqual((one["cnonce"], two["cnonce"]), ("a", "a"))
        self.assertNotEqual(one["response"], two["response"])

    def test_without_quality(self) -> None:
        """A server of RFC 2069 gets what it knows."""
        asked = challenge('Digest realm="r", nonce="n"')
        said = parameters(Digest(asked, MUFASA, lambda: "c").authorization(b"GET", b"/"))
        self.assertEqual(set(said), {"username", "realm", "nonce", "uri", "response"})

    def test_quotes(self) -> None:
        """What stands in quotes is escaped."""
        asked = challenge('Digest realm="a\\"b\\\\c", nonce="n", qop=auth')
        said = parameters(Digest(asked, MUFASA, lambda: "c").authorization(b"GET", b"/"))
        self.assertEqual(said["realm"], 'a"b\\c')


class ChoiceTests(SynchronousTestCase):
    def test_strongest(self) -> None:
        """The strongest is used that can be."""
        offers = (
            'Basic realm="r"',
            'Digest realm="r", nonce="n", algorithm=MD5',
            'Digest realm="r", nonce="n", algorithm=SHA-256',
            'Digest realm="r", nonce="n", algorithm=XYZ',
            'Digest realm="r", nonce="n", algorithm=SHA-256, qop=auth-int',
            "Negotiate",
        )
        found = [challenge(each) for each in offers]
        self.assertIs(strongest(found), found[2])
        self.assertIs(strongest(found[:2]), found[1])
        self.assertIs(strongest(found[:1]), found[0])
        self.assertIsNone(strongest(found[3:]))

    def test_stale(self) -> None:
        """A nonce that is too old is told from a wrong password."""
        self.assertTrue(is_stale(challenge('Digest realm="r", nonce="n", stale=TRUE')))
        self.assertFalse(is_stale(challenge('Digest realm="r", nonce="n"')))


class BasicTests(SynchronousTestCase):
    def test_utf8(self) -> None:
        """A login is sent in UTF-8, composed (RFC 7617 2.1), as the server's side here reads it."""
        login = Credentials("te\u0301st", "123\u00a3")
        value = proof(challenge("Basic realm=x"), login, str).authorization(b"GET", b"/")
        self.assertEqual(credentials(value), Credentials("t\u00e9st", "123\u00a3"))
        self.assertEqual(b64decode(value.partition(b" ")[2]), "t\u00e9st:123\u00a3".encode())

    def test_colon(self) -> None:
        """A user with a colon would be another one."""
        with self.assertRaises(ValueError):
            proof(challenge("Basic realm=x"), Credentials("a:b", "c"), str)
