"""What kind of thing a file is."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.mediatypes import UNKNOWN, media_type


class MediaTypes(SynchronousTestCase):
    def test_texts_have_a_charset(self) -> None:
        """Texts are UTF-8, whatever the case of their extension."""
        self.assertEqual(media_type("index.HTML"), b"text/html; charset=utf-8")
        self.assertEqual(media_type("a.b.css"), b"text/css; charset=utf-8")

    def test_others(self) -> None:
        """Other kinds have none."""
        self.assertEqual(media_type("a.png"), b"image/png")
        self.assertEqual(media_type("a.tar.gz"), b"application/gzip")

    def test_unknown(self) -> None:
        """A name without an extension, or with one nobody knows, is a stream of bytes."""
        for name in ("html", "a.", "a.unknown", "a.html~"):
            self.assertEqual(media_type(name), UNKNOWN)
