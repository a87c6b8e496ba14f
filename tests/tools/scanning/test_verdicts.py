"""What an error number says of a port."""

import errno

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.verdicts import (
    MEANINGS,
    MEANINGS_AT_ONCE,
    OPEN,
    SHORTAGES,
    SILENT,
    State,
    is_of_use_again,
    local,
)


class MeaningsTests(SynchronousTestCase):
    def test_open(self) -> None:
        """A connection is open, also where the server resets it at once."""
        for code in (0, errno.EISCONN, errno.ECONNRESET, errno.EPIPE):
            self.assertIs(MEANINGS[code], OPEN)

    @given(st.sampled_from(sorted(errno.errorcode)))
    def test_closed(self, code: int) -> None:
        """Nothing but a refusal makes a port closed."""
        for meanings in (MEANINGS, MEANINGS_AT_ONCE):
            verdict = meanings.get(code)
            closed = verdict is not None and verdict.state is State.CLOSED
            self.assertEqual(closed, code == errno.ECONNREFUSED)

    def test_filtered(self) -> None:
        """What a router says is told, and is not the same as silence."""
        self.assertIs(MEANINGS[errno.ETIMEDOUT], SILENT)
        said = MEANINGS[errno.EHOSTUNREACH]
        self.assertEqual((said.state, said.reason), (State.FILTERED, "host unreachable"))

    def test_local(self) -> None:
        """What is wrong on this host says nothing of the port."""
        for code in (*SHORTAGES, errno.EADDRNOTAVAIL, errno.EAGAIN, errno.EACCES):
            self.assertNotIn(code, MEANINGS)
            self.assertNotIn(code, MEANINGS_AT_ONCE)
            self.assertIs(local(code).state, State.UNKNOWN)
        self.assertEqual(local(errno.EMFILE).reason, "too many open files")

    def test_no_route(self) -> None:
        """A network that is unreachable at once is so from here: it is no firewall's word."""
        self.assertNotIn(errno.ENETUNREACH, MEANINGS_AT_ONCE)
        self.assertIs(MEANINGS[errno.ENETUNREACH].state, State.FILTERED)
        self.assertEqual(local(errno.ENETUNREACH).reason, "no route to it")
        self.assertFalse(is_of_use_again(errno.ENETUNREACH))
        self.assertTrue(all(map(is_of_use_again, SHORTAGES)))
