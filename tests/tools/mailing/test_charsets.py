"""The names of charsets: those of mail are known, and nothing else is ever asked."""

import codecs

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.charsets import _CODECS, codec


class CodecTests(SynchronousTestCase):
    def test_known(self) -> None:
        """The names that senders use are known, in any case of letters."""
        for label, name in (
            ("UTF-8", "utf_8"),
            ("utf8", "utf_8"),
            ("ISO-8859-1", "cp1252"),
            ("iso-8859-15", "iso8859_15"),
            ("iso-8859-8-i", "iso8859_8"),
            ("Windows-1252", "cp1252"),
            ("windows-874", "cp874"),
            ("x-gbk", "gb18030"),
            ("x-sjis", "cp932"),
            ("ks_c_5601-1987", "cp949"),
            ("unicode-1-1-utf-7", "utf_7"),
            ("macintosh", "mac_roman"),
        ):
            with self.subTest(label):
                self.assertEqual(codec(label), name)

    def test_unknown(self) -> None:
        """What is no charset, and what is slow, is not known."""
        for label in (
            "",
            "us-ascii",
            "unknown-8bit",
            "zlib",
            "rot13",
            "idna",
            "punycode",
            "hex",
            "os",
            "ü",
        ):
            with self.subTest(label):
                self.assertIsNone(codec(label))
        self.assertIsNone(codec("unicode_escape"))

    def test_there(self) -> None:
        """Python has every codec of the table, and each replaces what it cannot decode."""
        for name in _CODECS:
            self.assertEqual(codecs.lookup(name).name.replace("-", "_"), name)
            self.assertIsInstance(bytes(range(256)).decode(name, "replace"), str)

    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=20), st.binary(max_size=40), st.sampled_from(sorted(_CODECS)))
    def test_any(self, label: str, octets: bytes, name: str) -> None:
        """Whatever is said to be a charset, and whatever is in it, is no error."""
        codec(label)
        octets.decode(name, "replace")
