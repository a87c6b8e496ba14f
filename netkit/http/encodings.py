"""Which of the codings there are of a representation a client gets (RFC 9110 12.5.3). Pure."""

from collections.abc import Iterable, Mapping

from netkit.http.fields import items

IDENTITY = b"identity"

_LEAST = 0.5  # of a thousandth: what a client did not name is taken before nothing
_ALIASES = {b"x-gzip": b"gzip", b"x-compress": b"compress"}


def choose_encoding(accepted: bytes | None, available: Iterable[bytes]) -> bytes | None:
    """Return that of `available` which the field Accept-Encoding weights most, or None.

    Of several with the same weight the first is taken; the plain representation is `identity`. A
    client that says nothing gets no coding: the RFC would allow any, but programs that do not say
    which they know most often know none.
    """
    weights = _weights(accepted or b"")
    rated = [(_rating(weights, coding), coding) for coding in available]
    best = max(rated, key=lambda pair: pair[0], default=(0, IDENTITY))
    return best[1] if best[0] else None


def _weights(accepted: bytes) -> Mapping[bytes, float]:
    return {_ALIASES.get(each.value, each.value): each.weight for each in items(accepted)}


def _rating(weights: Mapping[bytes, float], coding: bytes) -> float:
    unnamed = _LEAST if coding == IDENTITY else 0
    return weights.get(coding, weights.get(b"*", unnamed))
