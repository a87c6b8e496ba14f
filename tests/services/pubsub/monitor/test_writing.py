"""JSON looks as NATS's does, and is what was to be written."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.monitor.writing import line, written

_KEYS = st.text(max_size=5)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=15,
)


class WritingTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(st.dictionaries(_KEYS, _VALUES, max_size=4))
    def test_whatever(self, shape: dict[str, Any]) -> None:
        """It is indented as the standard library does it, and read back it is the same."""
        text = written(shape).decode("ascii")
        plain = json.dumps(shape, indent=2)
        for character in "<>&":
            plain = plain.replace(character, f"\\u{ord(character):04x}")
        self.assertEqual(text, plain)
        self.assertEqual(json.loads(text), shape)
        self.assertEqual(json.loads(line(shape)), shape)

    def test_markup(self) -> None:
        """Nothing in it is HTML, or more than ASCII."""
        self.assertEqual(
            line({"a": "<b>&\x1b\x9b\u202e"}),
            b'{"a":"\\u003cb\\u003e\\u0026\\u001b\\u009b\\u202e"}',
        )
