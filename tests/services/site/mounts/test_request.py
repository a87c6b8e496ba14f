"""The mount `request` (row 6 of where netkit comes from)."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.mounts.request import answer
from tests.http.fakes import asked, content, field


class Echoing(SynchronousTestCase):
    def test_as_received(self) -> None:
        """Request line and fields come back in their order, case and bytes."""
        request = asked(
            method=b"BREW",
            target=b"/request/%41?x",
            headers=((b"hOST", b"h"), (b"X-A", b"\xfc<b>"), (b"x-a", b"2")),
        )
        self.assertEqual(
            content(answer(request)),
            b"You said:\r\nBREW /request/%41?x HTTP/1.1\r\nhOST: h\r\nX-A: \xfc<b>\r\nx-a: 2\r\n",
        )

    def test_never_html(self) -> None:
        """The answer is plain text, and no browser may think otherwise."""
        response = answer(asked())
        self.assertEqual(field(response, b"Content-Type"), b"text/plain; charset=iso-8859-1")
        self.assertEqual(field(response, b"X-Content-Type-Options"), b"nosniff")
