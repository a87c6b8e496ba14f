"""JSON as a NATS server writes it: on many lines for people, on one for probes.

Rule: what HTML could be made of is escaped, as Go does it, and so is all that is not ASCII: names are
what peers have sent, and terminals show them. (The standard library writes indented JSON in Python,
five times as slowly as by the encoder in C, which writes what stands deepest here.)
"""

from json import JSONEncoder, dumps
from typing import Any, TypeAlias

Shape: TypeAlias = dict[str, Any]


def written(shape: Shape) -> bytes:
    """Return `shape` on many lines, indented by two blanks."""
    return _without_markup(_indented(shape, "\n"))


def line(shape: Shape) -> bytes:
    """Return `shape` on one line."""
    return _without_markup(dumps(shape, separators=(",", ":")))


def _indented(value: Any, pad: str) -> str:  # noqa: ANN401 (whatever JSON can hold)
    if not isinstance(value, dict | list) or not value:
        return dumps(value)
    inner = pad + "  "
    if not any(isinstance(each, dict | list) for each in _within(value)):
        text = JSONEncoder(separators=("," + inner, ": ")).encode(value)
        return f"{text[0]}{inner}{text[1:-1]}{pad}{text[-1]}"
    if isinstance(value, list):
        return f"[{inner}{(',' + inner).join([_indented(each, inner) for each in value])}{pad}]"
    pairs = [f"{dumps(key)}: {_indented(each, inner)}" for key, each in value.items()]
    return f"{{{inner}{(',' + inner).join(pairs)}{pad}}}"


def _within(value: dict[str, Any] | list[Any]) -> Any:  # noqa: ANN401 (as above)
    return value.values() if isinstance(value, dict) else value


def _without_markup(text: str) -> bytes:
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()
