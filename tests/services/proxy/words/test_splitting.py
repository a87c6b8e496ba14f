"""Text into words."""

from unicodedata import normalize

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.words.splitting import LONGEST, Splitting, folded

TEXTS = st.text(
    alphabet="aZé\u0301ß1'\u2019- -\u2010\u00ad\u200d_.\u0928\u094d\u4e2d\ufb01İ", max_size=200
)


def words(*pieces: str) -> list[str]:
    """Return the words of a text that comes in `pieces`."""
    splitting = Splitting()
    found = [word for piece in pieces for word in splitting.words(piece)]
    return found + splitting.end()


class WordsTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Words are runs of letters, without case."""
        self.assertEqual(words("The quick, brown FOX."), ["the", "quick", "brown", "fox"])
        self.assertEqual(words(""), [])
        self.assertEqual(words(" .-'!\n"), [])

    def test_joined(self) -> None:
        """An apostrophe or a hyphen inside a word belongs to it, at its edge it does not."""
        self.assertEqual(
            words("don't e-mail 'tis rock'-n"), ["don't", "e-mail", "tis", "rock", "n"]
        )
        self.assertEqual(words("-a- b--c d'"), ["a", "b", "c", "d"])

    def test_alike(self) -> None:
        """The typographer's apostrophe and hyphen are the typewriter's; soft hyphens are none."""
        self.assertEqual(words("don\u2019t e\u2010mail"), ["don't", "e-mail"])
        self.assertEqual(words("hy\u00adphen"), ["hyphen"])

    def test_digits(self) -> None:
        """Digits may follow a letter; what begins with one is no word."""
        self.assertEqual(words("mp3 covid-19 5th 2026 ½ m²"), ["mp3", "covid-19", "m²"])

    def test_underscore(self) -> None:
        """An underscore separates."""
        self.assertEqual(words("snake_case"), ["snake", "case"])

    def test_marks(self) -> None:
        """Marks belong to their letters, and both ways of writing one letter are the same."""
        self.assertEqual(words("e\u0301te\u0301 ÉTÉ"), ["été", "été"])
        self.assertEqual(words("नमस्ते दुनिया"), ["नमस्ते", "दुनिया"])
        wants = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
        self.assertEqual(words(wants), [wants])

    def test_folded(self) -> None:
        """Case is folded, not lowered."""
        self.assertEqual(words("STRASSE straße ΣΟΦΟΣ"), ["strasse", "strasse", "σοφοσ"])
        self.assertEqual(folded("ÉTE\u0301"), "été")

    def test_longest(self) -> None:
        """What is longer than the longest word is none, however it comes."""
        longest, longer = "a" * LONGEST, "b" * (LONGEST + 1)
        self.assertEqual(words(f"{longest} {longer} c"), [longest, "c"])
        self.assertEqual(words(*longer, "-d e"), ["e"])
        self.assertEqual(words("a-" * 100_000, "a"), [])

    def test_little_is_kept(self) -> None:
        """No more is kept than the longest word."""
        for unit in ("a", "a-", "a--", "-", "é", "1"):
            splitting = Splitting()
            for _ in range(10):
                splitting.words(unit * 1000)
            self.assertLessEqual(len(splitting._begun), LONGEST + 2)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(TEXTS, max_size=8))
    def test_any_split(self, pieces: list[str]) -> None:
        """However a text is split, its words are the same."""
        text = "".join(pieces)
        self.assertEqual(words(*pieces), words(text))
        self.assertEqual(words(*text), words(text))

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=300))
    def test_any_text(self, text: str) -> None:
        """Of any text each word is short, folded, in NFC, and begins with a letter."""
        for word in words(text):
            self.assertLessEqual(len(word), LONGEST)
            self.assertEqual(word, normalize("NFC", word))
            self.assertNotIn("<", word)
            self.assertNotIn("&", word)
