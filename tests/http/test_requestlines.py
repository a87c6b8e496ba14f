"""Requests as they are sent: framed in exactly one way."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.heads import request_head
from netkit.http.limits import DEFAULTS
from netkit.http.messages import CHUNKED
from netkit.http.requestlines import header_section, whole_request
from netkit.http.sections import END
from tests.http.origins import question

METHODS = st.sampled_from((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"))


class RequestTests(SynchronousTestCase):
    @given(METHODS, st.binary(max_size=20), st.sampled_from((b"", b"websocket")))
    def test_whole(self, method: bytes, body: bytes, upgrade: bytes) -> None:
        """A server reads as long a body as was sent, and what is to become of the connection."""
        sent = whole_request(question(method, upgrade=upgrade), body)
        end = sent.index(END) + len(END)
        head = request_head(sent[:end], DEFAULTS)
        self.assertEqual((head.length, sent[end:]), (len(body), body))
        self.assertEqual(head.upgrade, upgrade)
        self.assertTrue(head.persists)
        self.assertFalse(head.expects)

    def test_section(self) -> None:
        """A stream's length is said where it is known, and what the server has to say first."""
        head = request_head(header_section(question(b"PUT"), 7, expects=True), DEFAULTS)
        self.assertEqual((head.length, head.expects), (7, True))
        head = request_head(header_section(question(b"PUT"), CHUNKED), DEFAULTS)
        self.assertEqual((head.length, head.expects), (CHUNKED, False))
