"""Which coding a client gets."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.encodings import choose_encoding

ALL = (b"br", b"zstd", b"gzip", b"identity")


class Choosing(SynchronousTestCase):
    def test_choice(self) -> None:
        """The greatest weight wins, then the order of the server."""
        for accepted, expected in (
            (None, b"identity"),
            (b"", b"identity"),
            (b"gzip", b"gzip"),
            (b"x-gzip", b"gzip"),
            (b"GZIP", b"gzip"),
            (b"gzip, deflate, br, zstd", b"br"),
            (b"gzip;q=1.0, br;q=0.9", b"gzip"),
            (b"br;q=0, gzip;q=0.001", b"gzip"),
            (b"gzip;q=0", b"identity"),
            (b"deflate", b"identity"),
            (b"*", b"br"),
            (b"br;q=0, *", b"zstd"),
            (b"identity, gzip;q=0.5", b"identity"),
            (b"identity;q=0.5, gzip", b"gzip"),
            (b"identity;q=0, gzip;q=0.1", b"gzip"),
            (b"identity;q=0", None),
            (b"*;q=0", None),
            (b"*;q=0, identity", b"identity"),
            (b"gzip, *;q=0", b"gzip"),
            (b"nonsense;;;q, , =", b"identity"),
        ):
            self.assertEqual(choose_encoding(accepted, ALL), expected, accepted)

    def test_available(self) -> None:
        """What there is not is not chosen."""
        self.assertEqual(choose_encoding(b"br, gzip", (b"gzip", b"identity")), b"gzip")
        self.assertEqual(choose_encoding(b"br", (b"gzip", b"identity")), b"identity")
        self.assertIs(choose_encoding(b"br", (b"gzip",)), None)
        self.assertIs(choose_encoding(None, (b"gzip",)), None)
        self.assertIs(choose_encoding(b"gzip", ()), None)

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.none(), st.binary()), st.sets(st.sampled_from(ALL)))
    def test_never_raises(self, accepted: bytes | None, available: set[bytes]) -> None:
        """Any bytes lead to something that there is, or to nothing."""
        chosen = choose_encoding(accepted, sorted(available))
        self.assertTrue(chosen is None or chosen in available)
