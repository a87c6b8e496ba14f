"""The characters of an HTML document: which encoding it is in (WHATWG HTML 13.2.3). Pure.

A byte order mark says it first of all, then Content-Type, then a `meta` among the first bytes. A document that
says nothing is UTF-8, and each byte of it that is not is one of windows-1252. Rule: any bytes are
text, and of the codecs that Python has only those of the table are ever asked.
"""

import codecs
import re

SNIFFED = 1024
"""Bytes among which a `meta` is looked for."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)

_ALIASES = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "utf-16-le": "utf-16 utf-16le ucs-2 iso-10646-ucs-2",
    "utf-16-be": "utf-16be",
    "cp1252": "windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 latin1 l1 ascii us-ascii",
    "gb18030": "gb18030 gbk gb2312 x-gbk chinese gb_2312-80",
    "big5hkscs": "big5 big5-hkscs x-x-big5 cn-big5",
    "euc_jp": "euc-jp x-euc-jp",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "cp932": "shift_jis shift-jis sjis x-sjis windows-31j ms_kanji",
    "cp949": "euc-kr korean ks_c_5601-1987 ksc5601 windows-949",
    "koi8_r": "koi8-r koi8 koi",
    "koi8_u": "koi8-u koi8-ru",
    "cp866": "ibm866 cp866",
    "cp874": "windows-874 tis-620 iso-8859-11",
    "mac_roman": "macintosh mac x-mac-roman",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp1254": "windows-1254 cp1254 iso-8859-9 latin5",
    **{f"cp{number}": f"windows-{number} cp{number} x-cp{number}" for number in (1250, 1251, 1253)},
    **{f"cp{number}": f"windows-{number} cp{number} x-cp{number}" for number in range(1255, 1259)},
    **{
        f"iso8859_{number}": f"iso-8859-{number} iso8859-{number}"
        for number in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)
    },
}
_CODECS = {label: codec for codec, labels in _ALIASES.items() for label in labels.split()}

_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(
    rb"""<meta[\t\n\f\r /][^>]*?charset[\t\n\f\r ]*+=[\t\n\f\r ]*+["']?[\t\n\f\r ]*+([\w.:-]{1,40})""",
    re.IGNORECASE,
)

_STRAY = {
    0xDC00 + octet: bytes([octet]).decode("cp1252", "replace") for octet in range(0x80, 0x100)
}
"""What stands for a byte that is not UTF-8, by what Python decodes it to."""


def codec(label: bytes) -> str | None:
    """Return the name of Python's codec for a label of an encoding, or None where it is unknown."""
    return _CODECS.get(label.decode("latin-1").strip().lower())


class Characters:
    """The characters of one document; `declared` is the charset of its Content-Type, or empty."""

    def __init__(self, declared: bytes) -> None:
        self._declared = declared
        self._first = b""
        self._decoder: codecs.IncrementalDecoder | None = None
        self._guessed = False

    def text(self, octets: bytes) -> str:
        """Return the characters that `octets` adds."""
        if self._decoder is None:
            self._first += octets
            if len(self._first) < SNIFFED:
                return ""
            octets = self._begin()
        return self._decoded(octets, final=False)

    def end(self) -> str:
        """Return the characters that were kept back."""
        return self._decoded(self._begin() if self._decoder is None else b"", final=True)

    def _begin(self) -> bytes:
        """Choose the decoder; return what it is to decode first."""
        first, self._first = self._first, b""
        for mark, name in _BOMS:
            if first.startswith(mark):
                self._decoder = codecs.getincrementaldecoder(name)("replace")
                return first[len(mark) :]
        name_found = codec(self._declared) or _in_meta(first[:SNIFFED])
        self._guessed = name_found is None
        errors = "surrogateescape" if self._guessed else "replace"
        self._decoder = codecs.getincrementaldecoder(name_found or "utf-8")(errors)
        return first

    def _decoded(self, octets: bytes, *, final: bool) -> str:
        assert self._decoder is not None, "it is chosen before"  # noqa: S101
        text = self._decoder.decode(octets, final)
        return text.translate(_STRAY) if self._guessed and not text.isascii() else text


def _in_meta(first: bytes) -> str | None:
    found = _META.search(_COMMENT.sub(b"", first))
    name = codec(found[1]) if found else None
    # Who could read the meta was not reading UTF-16.
    return "utf-8" if name in {"utf-16-le", "utf-16-be"} else name
