"""The key `count_words` of a proxy: false, true, or a table of limits."""

from attrs import frozen

from netkit.document.values import Bytes, Count, Seconds


@frozen(kw_only=True)
class CountWords:
    """What counting may cost.

    `document_bytes` of a document are counted, as they came and decoded, and what has not come and been
    counted within `document_seconds` is not. `documents` are being counted at once, and `waiting_bytes` of them wait to be. `distinct_words`
    are remembered.
    """

    document_bytes: Bytes = 2 * 1024 * 1024
    document_seconds: Seconds = 60.0
    documents: Count = 100
    waiting_bytes: Bytes = 8 * 1024 * 1024
    distinct_words: Count = 50_000
