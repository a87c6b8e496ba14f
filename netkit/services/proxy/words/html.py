"""The text that an HTML document shows, in whatever pieces it comes (WHATWG HTML 13.2.5). Pure.

Left out are tags with their attributes, comments, and what is inside script, style, template and their
like. What only style sheets hide is text as any other. Rule: any text is a document; each of its characters
is looked at a bounded number of times, and no more is kept of them than a tag's name.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import unescape

BREAK = "\n"
"""Stands where a tag separates words."""

HIDDEN = frozenset(("script", "style", "iframe", "noembed", "noframes", "noscript"))
"""Elements without tags inside, and which a browser that runs scripts does not show."""

WITHOUT_TAGS = HIDDEN | {"title", "textarea", "xmp"}

INLINE = frozenset(
    re.findall(
        r"\w+",
        "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q s samp "
        "script small span strike strong style sub sup template time tt u var wbr",
    )
)
"""Elements in the middle of a word, which do not end it."""

_NAME = 16
_REFERENCES = 1024

_S = r"[\t\n\f\r ]"
_MARKUP = re.compile(r"<(?:[A-Za-z/!?]|\Z)")
_TAG_NAME = re.compile(r"[^\t\n\f\r />]*+")
_BEFORE = re.compile(r"[\t\n\f\r /]*+")
_ATTRIBUTE_NAME = re.compile(r"[^\t\n\f\r />=]*+")
_BLANK = re.compile(rf"{_S}*+")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*+")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(?:#(?:[xX][0-9A-Fa-f]{1,32}|[0-9]{1,32})|[A-Za-z][0-9A-Za-z]{0,31});?")
_REFERENCE_BEGUN = re.compile(r"&(?:#[xX]?)?[0-9A-Za-z]{0,32}")
_REFERENCE_LENGTH = 35

# A whole list of attributes; where it is not whole by now, it is taken apart bit by bit.
_ATTRIBUTES = re.compile(
    rf"(?:{_S}|/)*+(?:[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rf"""(?:{_S}*+={_S}*+(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+|(?=>))|(?!{_S}*+(?:=|\Z)))"""
    rf"(?:{_S}|/)*+)*+>"
)

_ENDS = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.ASCII | re.IGNORECASE)
    for name in WITHOUT_TAGS
}


class VisibleText:
    """Finds the text of one document."""

    def __init__(self) -> None:
        self._kept = ""
        self._state: Callable[[str, int], int | None] = self._content
        self._shown: list[str] = []
        self._inside = ""
        self._templates = 0
        self._closing = False
        self._name = ""
        self._quote = ""

    def text(self, piece: str) -> str:
        """Return the text that `piece` adds, references resolved and BREAK where words end."""
        self._shown = []
        piece = self._kept + piece
        self._kept = ""
        at: int | None = 0
        while at is not None and at < len(piece):
            at = self._state(piece, at)
        return "".join(self._shown)

    def end(self) -> str:
        """Return the text that was kept back, in case a reference went on."""
        self._shown = []
        if self._state == self._content:
            self._show(self._kept)
        self._kept = ""
        return "".join(self._shown)

    def _show(self, text: str) -> None:
        if text and not self._templates and self._inside not in HIDDEN:
            self._shown.append(_REFERENCE.sub(_character, text) if "&" in text else text)

    # Each state takes what stands at `at`, and returns where the next goes on: None where more has to
    # come first.

    def _content(self, piece: str, at: int) -> int | None:
        if self._inside:
            return self._content_without_tags(piece, at)
        markup = _MARKUP.search(piece, at)
        if markup is None:
            self._show_all(piece, at)
            return None
        start = markup.start()
        self._show(piece[at:start])
        return self._open(piece, start)

    def _content_without_tags(self, piece: str, at: int) -> int | None:
        found = _ENDS[self._inside].search(piece, at)
        if found is None:
            bracket = piece.rfind("<", max(at, len(piece) - len(self._inside) - 2))
            if bracket >= 0 and f"</{self._inside}".startswith(piece[bracket:].lower()):
                self._show(piece[at:bracket])
                self._kept = piece[bracket:]
                return None
            self._show_all(piece, at)
            return None
        self._show(piece[at : found.start()])
        self._inside = ""
        return self._tag(found.start() + 2, closing=True)

    def _show_all(self, piece: str, at: int) -> None:
        """Show the rest of `piece`, but for a reference that may go on."""
        last = piece.rfind("&", max(at, len(piece) - _REFERENCE_LENGTH))
        if last >= 0 and _REFERENCE_BEGUN.fullmatch(piece, last):
            self._kept = piece[last:]
            piece = piece[:last]
        self._show(piece[at:])

    def _open(self, piece: str, at: int) -> int | None:
        """Look at what begins with the `<` at `at`."""
        begun = piece[at : at + 4]
        if begun == "<!--":
            self._state = self._comment
            return at + 2  # so that <!--> is a comment
        if begun in {"<", "</", "<!", "<!-"}:
            self._kept = piece[at:]
            return None
        if _is_letter(begun[1]):
            return self._tag(at + 1, closing=False)
        if begun[1] == "/" and _is_letter(begun[2]):
            return self._tag(at + 2, closing=True)
        self._state = self._declaration
        return at + 2

    def _tag(self, at: int, *, closing: bool) -> int:
        self._closing, self._name = closing, ""
        self._state = self._tag_name
        return at

    def _comment(self, piece: str, at: int) -> int | None:
        end = _COMMENT_END.search(piece, at)
        if end is None:
            self._kept = piece[max(at, len(piece) - 3) :]
            return None
        self._state = self._content
        return end.end()

    def _declaration(self, piece: str, at: int) -> int | None:
        end = piece.find(">", at)
        if end < 0:
            return None
        self._state = self._content
        return end + 1

    def _tag_name(self, piece: str, at: int) -> int | None:
        end = _end(_TAG_NAME, piece, at)
        self._name = (self._name + piece[at : min(end, at + _NAME)])[:_NAME]
        if end == len(piece):
            return None
        whole = _ATTRIBUTES.match(piece, end)
        if whole:
            return self._tag_ended(whole.end())
        self._state = self._before_attribute
        return end

    def _before_attribute(self, piece: str, at: int) -> int | None:
        end = _end(_BEFORE, piece, at)
        if end == len(piece):
            return None
        if piece[end] == ">":
            return self._tag_ended(end + 1)
        self._state = self._attribute_name
        return end + 1  # whatever it is, even =

    def _attribute_name(self, piece: str, at: int) -> int | None:
        end = _end(_ATTRIBUTE_NAME, piece, at)
        if end < len(piece):
            self._state = self._after_name
        return end

    def _after_name(self, piece: str, at: int) -> int | None:
        end = _end(_BLANK, piece, at)
        if end == len(piece):
            return None
        self._state = self._before_value if piece[end] == "=" else self._before_attribute
        return end + 1 if piece[end] == "=" else end

    def _before_value(self, piece: str, at: int) -> int | None:
        end = _end(_BLANK, piece, at)
        if end == len(piece):
            return None
        if piece[end] in "\"'":
            self._quote = piece[end]
            self._state = self._quoted
            return end + 1
        if piece[end] == ">":
            return self._tag_ended(end + 1)
        self._state = self._unquoted
        return end

    def _quoted(self, piece: str, at: int) -> int | None:
        end = piece.find(self._quote, at)
        if end < 0:
            return None
        self._state = self._before_attribute
        return end + 1

    def _unquoted(self, piece: str, at: int) -> int | None:
        end = _end(_UNQUOTED, piece, at)
        if end < len(piece):
            self._state = self._before_attribute
        return end

    def _tag_ended(self, at: int) -> int:
        """Go on behind a tag."""
        self._state = self._content
        name = self._name.lower()
        if name == "template":
            self._templates = max(0, self._templates + (-1 if self._closing else 1))
        elif name in WITHOUT_TAGS and not self._closing:
            self._inside = name
        if name not in INLINE and not self._templates:
            self._shown.append(BREAK)
        return at


def _end(pattern: re.Pattern[str], piece: str, at: int) -> int:
    """Return where the match of a pattern that always matches ends."""
    match = pattern.match(piece, at)
    return match.end() if match else at


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _character(match: re.Match[str]) -> str:
    return _resolved(match[0])


@lru_cache(_REFERENCES)
def _resolved(reference: str) -> str:
    return unescape(reference)
