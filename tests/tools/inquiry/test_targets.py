"""Whom to ask for whom, by plain calls."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.finger.wire import Query
from netkit.tools.inquiry.targets import Inquiry, inquiry


class InquiryTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """The last host is asked, for what stands before it; without a host it is this one."""
        for written, expected in {
            "": Inquiry(Query()),
            "moshez": Inquiry(Query("moshez")),
            "Moshe Z.": Inquiry(Query("Moshe Z.")),
            "moshez@a.example": Inquiry(Query("moshez"), "a.example"),
            "@a.example": Inquiry(Query(), "a.example"),
            "moshez@b@a.example": Inquiry(Query("moshez", hosts=("b",)), "a.example"),
            "@b@a.example": Inquiry(Query(hosts=("b",)), "a.example"),
            "moshez@a.example:1079": Inquiry(Query("moshez"), "a.example", 1079),
            "moshez@::1": Inquiry(Query("moshez"), "::1"),
            "moshez@[::1]": Inquiry(Query("moshez"), "::1"),
            "moshez@[::1]:1079": Inquiry(Query("moshez"), "::1", 1079),
        }.items():
            with self.subTest(written):
                self.assertEqual(inquiry(written), expected)

    def test_options(self) -> None:
        """The long form and a port may be asked for; a host's own port goes first."""
        found = inquiry("moshez@a.example", verbose=True, port=1079)
        self.assertEqual((found.line, found.port), (b"/W moshez\r\n", 1079))
        self.assertEqual(inquiry("moshez@a.example:79", port=1079).port, 79)

    def test_named(self) -> None:
        """A server is named with its port where that is another than finger's."""
        for written, name in (
            ("@a.example", "a.example"),
            ("@a.example:1079", "a.example:1079"),
            ("@[::1]:1079", "[::1]:1079"),
        ):
            self.assertEqual(str(inquiry(written)), name)

    def test_slips(self) -> None:
        """What cannot be asked says why."""
        for written, why in (
            ("moshez@", "names no host"),
            ("moshez@a b", "neither an address nor a host name"),
            ("moshez@a:0", "not a port"),
            ("moshez@a:99999", "not a port"),
            ("a\nb@host", "only printable"),
        ):
            with self.subTest(written), self.assertRaisesRegex(ValueError, why):
                inquiry(written)
