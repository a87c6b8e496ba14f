"""The charsets of mail (RFC 2978), as senders name them. Pure.

Rule: of the codecs that Python has only those of the table are ever asked: others are slow, or no
charsets at all. An unknown name leaves no trace, however many there are.
"""

from encodings import normalize_encoding
from encodings.aliases import aliases

_CODECS = frozenset(
    [
        "utf_8",
        "utf_7",
        "utf_16",
        "utf_16_be",
        "utf_16_le",
        "utf_32",
        "iso8859_2",
        "iso8859_3",
        "iso8859_4",
        "iso8859_5",
        "iso8859_6",
        "iso8859_7",
        "iso8859_8",
        "iso8859_10",
        "iso8859_13",
        "iso8859_14",
        "iso8859_15",
        "iso8859_16",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1255",
        "cp1256",
        "cp1257",
        "cp1258",
        "cp437",
        "cp850",
        "cp852",
        "cp855",
        "cp866",
        "cp874",
        "koi8_r",
        "koi8_u",
        "koi8_t",
        "mac_roman",
        "mac_cyrillic",
        "mac_latin2",
        "iso2022_jp",
        "iso2022_jp_1",
        "iso2022_jp_2",
        "iso2022_jp_3",
        "euc_jp",
        "cp932",
        "iso2022_kr",
        "cp949",
        "johab",
        "gb18030",
        "hz",
        "big5hkscs",
    ]
)
# What is sent under these names has more characters than they have (WHATWG Encoding 4.2).
_LARGER = {
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "windows_874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "sjis": "cp932",
}


def codec(label: str) -> str | None:
    """Return the name of Python's codec for a charset, or None where it is unknown.

    It is None for US-ASCII too, under which everything is sent.
    """
    if not label.isascii():
        return None
    name = normalize_encoding(label.lower().removeprefix("x-").removesuffix("-i")).lower()
    known = aliases.get(name, name)
    known = _LARGER.get(known, known)
    return known if known in _CODECS else None
