"""What a visitor filled in: application/x-www-form-urlencoded (WHATWG URL 5.1) as names and values.

Pure. Every form is bounded in bytes and in fields before anything is decoded.
"""

from typing import TypeAlias
from urllib.parse import parse_qsl

Fields: TypeAlias = tuple[tuple[str, str], ...]

FORM_BYTES = 64 * 1024
FORM_FIELDS = 1000

_URLENCODED = b"application/x-www-form-urlencoded"


class NotAFormError(ValueError):
    """The content type says that the body is no form of the kind read here; the answer is 415."""


class FormTooLargeError(ValueError):
    """There are more bytes or fields than a form may have; the answer is 413."""


def fields(
    body: bytes, content_type: bytes | None, *, at_most: int = FORM_FIELDS, size: int = FORM_BYTES
) -> Fields:
    """Return the fields of a form in the order they stand in, empty values included.

    What is not UTF-8 becomes U+FFFD. Raise NotAFormError where `content_type` is another, and
    FormTooLargeError beyond `at_most` fields or `size` bytes.
    """
    kind = (content_type or b"").partition(b";")[0].strip().lower()
    if kind != _URLENCODED:
        raise NotAFormError("the form is not application/x-www-form-urlencoded")
    if len(body) > size or body.count(b"&") >= at_most:
        raise FormTooLargeError(f"more than {size} bytes or {at_most} fields")
    written = body.decode(errors="replace")
    return tuple(parse_qsl(written, keep_blank_values=True, errors="replace"))


def grouped(form: Fields) -> dict[str, tuple[str, ...]]:
    """Return all the values of each field, the fields in the order they first stand in."""
    groups: dict[str, list[str]] = {}
    for name, value in form:
        groups.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in groups.items()}
