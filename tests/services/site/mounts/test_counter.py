"""The mount `counter` (row 5 of where netkit comes from)."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.mounts.counter import Counter
from tests.http.fakes import asked, content, field


class Counting(SynchronousTestCase):
    def test_counts_from_one(self) -> None:
        """Each visit is told its number as plain text, whatever its path."""
        counter = Counter()
        self.assertEqual(content(counter.answer(asked(""))), b"I am request #1")
        response = counter.answer(asked("/x/y"))
        self.assertEqual(content(response), b"I am request #2")
        self.assertEqual(field(response, b"Content-Type"), b"text/plain; charset=utf-8")

    def test_other_methods(self) -> None:
        """A POST is refused and not counted."""
        counter = Counter()
        self.assertEqual(counter.answer(asked(method=b"POST")).status, 405)
        self.assertEqual(content(counter.answer(asked())), b"I am request #1")
