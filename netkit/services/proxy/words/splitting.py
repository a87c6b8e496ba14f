"""Text into words, in whatever pieces it comes. Pure.

A word is letters, with their marks and with digits behind them, and is taken in any script. An
apostrophe or a hyphen with a letter or digit on both sides belongs to it (don't, e-mail); what begins with a
digit is none. Scripts that write no blanks have a word from one mark of punctuation to the next. Rule: how
the text was split on the way changes nothing, and no more is kept of it than the longest word.
"""

import re
from functools import cache
from itertools import groupby
from unicodedata import category, normalize

from attrs import frozen

LONGEST = 50
"""Characters of a word; what is longer is none."""

_CHARACTERS = range(0x300, 0x20000)
"""Where marks are, but for the variation selectors."""

_TOO_LONG = "x" * (LONGEST + 1)

_ALIKE = str.maketrans(
    {
        "\u2019": "'",
        "\u02bc": "'",
        "\u2010": "-",
        "\u2011": "-",
        "\u00ad": None,  # a soft hyphen
        "\u2060": None,  # a word joiner
    }
)


@frozen
class _Patterns:
    word: re.Pattern[str]
    run: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """Return what finds a word, and a run of whatever words may be made of.

    They are made when they are first wanted, as that takes some hundredths of a second.
    """
    inner = f"(?:[^\\W_]|[{_marks()}])"
    return _Patterns(
        re.compile(f"[^\\W_]{inner}*+(?:['-][^\\W_]{inner}*+)*+"),
        re.compile(f"(?:{inner}|['-])*+"),
    )


def _marks() -> str:
    """Return the marks, the joiner and the non-joiner, as they stand in a class of a pattern."""
    marks = (code for code in _CHARACTERS if category(chr(code)) in {"Mn", "Mc", "Me"})
    runs = groupby(enumerate(marks), key=lambda pair: pair[1] - pair[0])
    spans = [[code for _, code in run] for _, run in runs]
    return "\u200c\u200d" + "".join(f"{chr(span[0])}-{chr(span[-1])}" for span in spans)


class Splitting:
    """Finds the words of one text."""

    def __init__(self) -> None:
        self._patterns = _patterns()
        self._begun = ""

    def words(self, text: str) -> list[str]:
        """Return the words that are whole by now, case-folded (Unicode 3.13) and in NFC."""
        text = self._begun + _folded(text)
        turned = self._patterns.run.match(text[::-1])
        begun = len(text) - (turned.end() if turned else 0)
        found = self._patterns.word.findall(text, 0, begun)
        found += self._keep(text[begun:])
        return _fit(found)

    def end(self) -> list[str]:
        """Return the word that the text ended in, if it did."""
        text, self._begun = self._begun, ""
        return _fit(self._patterns.word.findall(text))

    def _keep(self, run: str) -> list[str]:
        """Keep the word at the end of `run`, which may go on; return those before it."""
        matches = list(self._patterns.word.finditer(run))
        self._begun = ""
        if matches and matches[-1].end() >= len(run) - 1:
            last = matches.pop()
            self._begun = run[last.start() :]
            if len(last[0]) > LONGEST:
                self._begun = _TOO_LONG + run[last.end() :]
        return [match[0] for match in matches]


def folded(word: str) -> str:
    """Return `word` as `Splitting.words` would have it."""
    return normalize("NFC", _folded(word))


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_ALIKE).casefold()


def _fit(found: list[str]) -> list[str]:
    return [
        word if word.isascii() else normalize("NFC", word)
        for word in found
        if len(word) <= LONGEST and word[0].isalpha()
    ]
