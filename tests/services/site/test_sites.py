"""The site built by hand is a site, and its threads are threads as far as it can tell."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.net.logins import in_threads
from netkit.services.site.service import Settings
from tests.http.fakes import content
from tests.services.site.sites import Built, ThreadedReactor, says


class FakeTests(SynchronousTestCase):
    def test_threads(self) -> None:
        """Work for a thread is done when the test says so, and its answer arrives."""
        threads = ThreadedReactor()
        answer = in_threads(threads)(lambda: True)
        self.assertNoResult(answer)
        self.assertEqual((threads.work(), threads.work()), (1, 0))
        self.assertIs(self.successResultOf(answer), True)

    def test_asking(self) -> None:
        """A mount that says something says it to whoever asks."""
        answer = self.successResultOf(Built(Settings((says("hello"),))).ask("/x"))
        self.assertEqual(content(answer), b"hello  /x")
