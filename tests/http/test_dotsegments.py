"""Segments of dots go as the RFC says."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.dotsegments import without_dots

SEGMENTS = st.lists(st.sampled_from(["a", "b", ".", "..", "...", ""]), min_size=1, max_size=8)


def by_the_letter(path: str) -> str:
    """Remove dot segments in the steps A to E of RFC 3986 5.2.4."""
    source, out = path, ""
    while source:
        if source.startswith("/./") or source == "/.":
            source = "/" + source[3:]
        elif source.startswith("/../") or source == "/..":
            source = "/" + source[4:]
            out = out[: max(out.rfind("/"), 0)]
        else:
            end = source.find("/", 1)
            end = len(source) if end < 0 else end
            out, source = out + source[:end], source[end:]
    return out


class DotSegmentTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(SEGMENTS)
    def test_without_dots(self, segments: list[str]) -> None:
        """The result is that of RFC 3986 5.2.4, word for word."""
        path = "/" + "/".join(segments)
        self.assertEqual(without_dots(path), by_the_letter(path))

    def test_from_a_slash_on(self) -> None:
        """A path without a slash at its beginning has one then."""
        self.assertEqual(without_dots("a/./b/.."), "/a/")
        self.assertEqual(without_dots(""), "/")
