"""Subjects and patterns, as NATS has them (docs.nats.io, "Subject-Based Messaging").

A subject is one or more tokens with dots between them. In a pattern the token `*` stands for any one
token, and `>`, as the last one, for one or more; inside longer tokens both are plain characters.

Rule: a subject never has a blank or a control character, so that it can stand in a line of any
protocol, in a log and in an event. Whatever else is in it are bytes: NATS asks for no UTF-8. (Of the
control characters NATS itself accepts some.)
"""

import re

WILD_TOKENS = 32
"""The most tokens of a pattern with wildcards; each costs some 400 bytes where patterns are kept."""

_TOKEN = rb"[^\x00-\x20.\x7f]+"
_PLAIN = rb"(?![*>](?:\.|\Z))" + _TOKEN
_SUBJECT = re.compile(_PLAIN + rb"(?:\." + _PLAIN + rb")*")
_PATTERN = re.compile(rb"(?:(?!>\.)" + _TOKEN + rb"\.)*" + _TOKEN)
_WILD = re.compile(rb"(?:\A|\.)[*>](?:\.|\Z)")


def is_subject(subject: bytes) -> bool:
    """Return whether messages can be published to `subject`."""
    return _SUBJECT.fullmatch(subject) is not None


def is_pattern(pattern: bytes) -> bool:
    """Return whether `pattern` can be subscribed to; every subject can."""
    if _PATTERN.fullmatch(pattern) is None:
        return False
    return pattern.count(b".") < WILD_TOKENS or not is_wild(pattern)


def is_wild(pattern: bytes) -> bool:
    """Return whether the pattern has a wildcard, so that it stands for more than one subject."""
    return _WILD.search(pattern) is not None


def covers(pattern: bytes, other: bytes) -> bool:
    """Return whether every subject that `other` stands for matches `pattern`.

    `other` is a subject, or a pattern as well.
    """
    wanted, given = pattern.split(b"."), other.split(b".")
    for token, there in zip(wanted, given, strict=False):
        if token == b">":
            return True
        if there == b">" or token not in (b"*", there):
            return False
    return len(wanted) == len(given)


def overlap(one: bytes, other: bytes) -> bool:
    """Return whether there can be a subject that matches both patterns."""
    left, right = one.split(b"."), other.split(b".")
    for here, there in zip(left, right, strict=False):
        if b">" in (here, there):
            return True
        if here != there and b"*" not in (here, there):
            return False
    return len(left) == len(right)
