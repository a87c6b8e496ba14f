"""What servers of HTTP are asked for."""

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.content import FILES, LARGE, MANY, MIDDLE, SMALL


class ContentTests(SynchronousTestCase):
    def test_pages_have_the_size_of_their_names(self) -> None:
        """The works say a KiB, 64 of them, and a MiB."""
        sizes = [len(page.content.encode()) for page in (SMALL, MIDDLE, LARGE)]
        self.assertEqual(sizes, [1024, 64 * 1024, 1024 * 1024])

    def test_many_pages_are_alike_in_size_only(self) -> None:
        """A server that answered for one file with another would be found out."""
        self.assertEqual({len(page.content) for page in MANY}, {1024})
        self.assertEqual(len({page.content for page in MANY}), 1000)
        self.assertEqual(len({page.path for page in MANY}), 1000)

    def test_texts_stay_as_they_are(self) -> None:
        """Files are filled in before they are written; these have nothing to fill in."""
        self.assertFalse([name for name, text in FILES.items() if "$" in text])
