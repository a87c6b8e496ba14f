"""The table of what asking a server may cost."""

from typing import get_type_hints

from attrs import fields
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.clientlimits import ClientLimits


class ClientLimitsTests(SynchronousTestCase):
    def test_checked(self) -> None:
        """Every limit has a check, which its default passes."""
        hints = get_type_hints(ClientLimits, include_extras=True)
        for each in fields(ClientLimits):
            (check,) = hints[each.name].__metadata__
            self.assertIsNone(check.complaint(each.default), each.name)
            self.assertIsNotNone(check.complaint(-1), each.name)
