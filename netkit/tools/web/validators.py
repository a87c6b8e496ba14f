"""What tells one version of a page from the next, and how that is written down.

Pure. Rule: what is known of a page is replaced by what the server says of a newer one, and by nothing
else: neither a 304 nor an error makes anything forgotten. What stands in a file is believed only
where all of it is what netkit writes.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from attrs import evolve, field, frozen

from netkit.http.conditions import EntityTag, entity_tags
from netkit.http.dates import parse_date
from netkit.http.messages import Headers

MOST_PAGES = 10_000
MOST_BYTES = 16 * 1024 * 1024
"""How much is written down; where there is more, what was looked at longest ago is left out."""

LONGEST_TAG = 1024
"""Bytes of an entity tag; a longer one is as if there were none."""

_FORMAT = 1
_DIGEST = re.compile("[0-9a-f]{64}")


@frozen
class Version:
    """A page as it was when it was last looked at.

    `modified` is Last-Modified as the server wrote it, or empty. `digest` is the SHA-256 of the
    content, in hex. `place` is the URL that it was found at, behind all redirects. `changed` says
    when it was first seen so, `looked` when last, in seconds since 1970.
    """

    tag: EntityTag | None
    modified: bytes
    digest: str
    place: str
    changed: float = field(eq=False)
    looked: float = field(eq=False)

    @property
    def conditions(self) -> Headers:
        """The fields that ask for the page only where it is another by now (RFC 9110 13.1)."""
        tag: Headers = ((b"If-None-Match", bytes(self.tag)),) if self.tag is not None else ()
        date: Headers = ((b"If-Modified-Since", self.modified),) if self.modified else ()
        return tag + date

    def is_like(self, later: "Version") -> bool:
        """Return whether `later` says the same, by its content or by the server's word.

        The word that counts is a weak entity tag (RFC 9110 8.8.1): who gives one says that bytes make
        no difference. A strong one that stays while the content changes is a mistake of the server.
        """
        word = self.tag is not None and self.tag.weak
        same_word = word and (self.tag, self.place) == (later.tag, later.place)
        return same_word or self.digest == later.digest

    def followed_by(self, later: "Version") -> "Version":
        """Return `later`, which came in place of this: unless it says the same it is a change."""
        return evolve(later, changed=self.changed) if self.is_like(later) else later

    def freshened(self, fields: Mapping[bytes, bytes], now: float) -> "Version":
        """Return the version after a 304 with these fields (RFC 9111 4.3.4).

        They count only where they are of this version; it is the same version in any case.
        """
        tag, modified = _tag(fields), _modified(fields, now)
        if _selects(tag, modified, self):
            return evolve(self, tag=tag or self.tag, modified=modified or self.modified, looked=now)
        return evolve(self, looked=now)


Versions: TypeAlias = Mapping[str, Version]
"""Versions by the URLs that were asked for."""


def version(fields: Mapping[bytes, bytes], digest: str, place: str, now: float) -> Version:
    """Return the version that an answer with these fields (names in lower case) and content is."""
    return Version(_tag(fields), _modified(fields, now), digest, place, now, now)


def _tag(fields: Mapping[bytes, bytes]) -> EntityTag | None:
    written = fields.get(b"etag", b"").strip(b" \t")
    return _tag_in(written) if len(written) <= LONGEST_TAG else None


def _tag_in(written: bytes) -> EntityTag | None:
    """Return the entity tag that `written` is, all of it, or None."""
    return next((tag for tag in entity_tags(written) if bytes(tag) == written), None)


def _modified(fields: Mapping[bytes, bytes], now: float) -> bytes:
    written = fields.get(b"last-modified", b"")
    return written if parse_date(written, now) is not None else b""


def _selects(tag: EntityTag | None, modified: bytes, version: Version) -> bool:
    """Return whether validators in a 304 are those of `version`: RFC 9111 4.3.4, by rank."""
    if tag is None:
        return not modified or modified == version.modified
    if tag.weak:
        return version.tag is not None and version.tag.opaque == tag.opaque
    return version.tag == tag


class NotOursError(ValueError):
    """What was read is nothing that netkit wrote. The text says what is wrong."""


class NewerError(Exception):
    """What was read was written by a newer netkit, which knows more of it."""


def written(pages: Versions) -> bytes:
    """Return `pages` as the text of a file, one a line, those that were looked at last first."""
    lines = b",\n".join(_lines(pages))
    return b'{"format": %d, "pages": {\n%b\n}}\n' % (_FORMAT, lines)


def _lines(pages: Versions) -> Iterator[bytes]:
    left = MOST_BYTES - 100  # what stands around them
    newest = sorted(pages.items(), key=lambda each: -each[1].looked)
    for url, page in newest[:MOST_PAGES]:
        line = f"{json.dumps(url)}: {json.dumps(_record(page))}".encode()
        left -= len(line) + 2
        if left < 0:
            return
        yield line


def _record(page: Version) -> dict[str, Any]:
    return {
        "etag": bytes(page.tag).decode("latin-1") if page.tag is not None else "",
        "last_modified": page.modified.decode("latin-1"),
        "sha256": page.digest,
        "place": page.place,
        "changed": round(page.changed, 3),
        "looked": round(page.looked, 3),
    }


def read(text: bytes) -> dict[str, Version]:
    """Return the pages that `written` has written; raise NotOursError or NewerError."""
    if len(text) > MOST_BYTES:
        raise NotOursError(f"it has more than {MOST_BYTES} bytes")
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise NotOursError("it is no JSON") from None
    number = whole.get("format") if isinstance(whole, dict) else None
    if not isinstance(number, int) or number < 1:
        raise NotOursError("it says no format")
    if number > _FORMAT:
        raise NewerError
    pages = whole.get("pages")
    if not isinstance(pages, dict):
        raise NotOursError("it has no pages")
    return {url: _page(record) for url, record in pages.items()}


def _page(record: object) -> Version:
    if not isinstance(record, dict):
        raise NotOursError("a page is no table")
    tag, modified = (_octets(record.get(name)) for name in ("etag", "last_modified"))
    page = Version(
        _tag_in(tag),
        modified,
        _right(record.get("sha256"), lambda text: bool(_DIGEST.fullmatch(text))),
        _right(record.get("place"), lambda _: True),
        _time(record.get("changed")),
        _time(record.get("looked")),
    )
    if (tag and page.tag is None) or (modified and parse_date(modified, page.looked) is None):
        raise NotOursError("a validator is none")
    return page


def _octets(value: object) -> bytes:
    try:
        return _right(value, lambda _: True).encode("latin-1")
    except UnicodeEncodeError:
        raise NotOursError("a validator is none") from None


def _right(value: object, is_right: Callable[[str], bool]) -> str:
    if isinstance(value, str) and is_right(value):
        return value
    raise NotOursError("a value is not right")


def _time(value: object) -> float:
    if isinstance(value, int | float) and 0 <= value < 2**40:
        return float(value)
    raise NotOursError("a time is none")
