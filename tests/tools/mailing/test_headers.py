"""Header fields: any bytes are text, and encoded words in every charset of mail are read."""

from base64 import b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.headers import decoded, fields, text


class FieldTests(SynchronousTestCase):
    def test_fields(self) -> None:
        """Fields are found by name, unfolded; the first of several counts."""
        section = b"Subject: a\r\n b\r\n\tc\r\nFROM :x\r\nsubject: d\r\nrubbish\r\n\x80: y\r\n\r\n"
        self.assertEqual(fields(section), {"subject": b"a b\tc", "from": b"x"})

    def test_cut_off(self) -> None:
        """A section that is cut off has what there is of it."""
        self.assertEqual(fields(b"Subject: a\n b"), {"subject": b"a b"})
        self.assertEqual(fields(b""), {})

    def test_text(self) -> None:
        """Bytes are UTF-8, and if they are not, windows-1252."""
        self.assertEqual(text("Grüße 😀\t!".encode()), "Grüße 😀 !")
        self.assertEqual(text(b"Gr\xfc\xdfe \x80\x81"), "Grüße €\ufffd")


class EncodedWordTests(SynchronousTestCase):
    def test_rfc(self) -> None:
        """The examples of RFC 2047 8."""
        for written, read in (
            ("(=?ISO-8859-1?Q?a?=)", "(a)"),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
            ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
            ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
            ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
        ):
            with self.subTest(written):
                self.assertEqual(decoded(written), read)

    def test_charsets(self) -> None:
        """Words in the charsets of the world are read."""
        for charset, codec, words in (
            ("utf-8", "utf-8", "Привет 😀"),
            ("UTF-8*ru", "utf-8", "Привет"),
            ("koi8-r", "koi8_r", "Привет"),
            ("windows-1251", "cp1251", "Привет"),
            ("iso-8859-2", "iso8859_2", "Žluťoučký"),
            ("iso-8859-15", "iso8859_15", "5 €"),
            ("iso-2022-jp", "iso2022_jp", "こんにちは"),
            ("shift_jis", "cp932", "こんにちは"),
            ("euc-kr", "cp949", "안녕"),
            ("iso-2022-kr", "iso2022_kr", "안녕"),
            ("gb2312", "gb18030", "你好"),
            ("hz-gb-2312", "hz", "你好"),
            ("big5", "big5hkscs", "你好"),
            ("utf-7", "utf-7", "Grüße"),
            ("windows-1256", "cp1256", "مرحبا"),
        ):
            octets = words.encode(codec)
            base64 = b64encode(octets).decode()
            quoted = "".join(f"={octet:02X}" for octet in octets)
            with self.subTest(charset):
                self.assertEqual(decoded(f"a =?{charset}?B?{base64}?= b"), f"a {words} b")
                self.assertEqual(decoded(f"=?{charset}?q?{quoted}?="), words)

    def test_cut_within_a_character(self) -> None:
        """A character that is cut between two words is put together."""
        self.assertEqual(decoded("=?utf-8?B?8J8=?= =?UTF-8?Q?=98=80?= x"), "😀 x")
        self.assertEqual(decoded("=?utf-8?q?a?= x =?utf-8?q?b?="), "a x b")

    def test_broken(self) -> None:
        """What is broken is shown so far as can be, and never an error."""
        for written, read in (
            ("=?no-such?q?a=FC?=", "aü"),
            ("=?zlib?q?a?=", "a"),
            ("=?idna?q?xn--a?=", "xn--a"),
            ("=?rot13?q?a?=", "a"),
            ("=?utf-8?q?=FF=F?=", "\ufffd=F"),
            ("=?utf-8?b?YQ?=", "a"),
            ("=?utf-8?b?Y Q = =?=", "a"),
            ("=?utf-8?b?Y?=", "=?utf-8?b?Y?="),
            ("=?utf-8?b?%%?=", "=?utf-8?b?%%?="),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
            ("=?utf-8?q?a", "=?utf-8?q?a"),
            ("=?utf-8?q?ü?=", "ü"),
            ("=?utf-8?q??=", ""),
            ("=?\ud800?q?a?=", "a"),
        ):
            with self.subTest(written):
                self.assertEqual(decoded(written), read)

    @settings(deadline=None, max_examples=200)
    @given(st.text(alphabet="=?qbB8ut-f_Aa \xff\ud800%", max_size=60))
    def test_any(self, written: str) -> None:
        """Whatever is written is text."""
        self.assertIsInstance(decoded(written), str)

    def test_many(self) -> None:
        """A field full of words or of beginnings of words takes no time to speak of."""
        self.assertEqual(decoded("=?utf-8?q?a?= " * 1000).strip(), "a" * 1000)
        for rubbish in ("=?", "=?a?q?", "=?utf-8?q?a"):
            decoded(rubbish * 4000)
