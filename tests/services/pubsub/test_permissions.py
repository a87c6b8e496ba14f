"""What users may publish and subscribe to."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.permissions import REMEMBERED, Permissions, Rules


class RulesTests(SynchronousTestCase):
    def test_everything(self) -> None:
        """Without rules everything is allowed, and nothing needs to be held back."""
        permissions = Permissions()
        self.assertTrue(permissions.publish.permit(b"a.b"))
        self.assertTrue(permissions.subscribe.permit(b">"))
        self.assertIsNone(permissions.subscribe.bar(b">"))

    def test_nothing(self) -> None:
        """An empty list allows nothing."""
        self.assertFalse(Rules(allow=()).permit(b"a"))

    def test_allow(self) -> None:
        """Only what is allowed is; a pattern must be allowed as a whole."""
        rules = Rules(allow=(b"a.*", b"_INBOX.>"))
        self.assertTrue(rules.permit(b"a.b"))
        self.assertTrue(rules.permit(b"a.*"))
        self.assertTrue(rules.permit(b"_INBOX.x.*"))
        for wanted in (b"a", b"a.b.c", b"a.>", b">", b"b"):
            with self.subTest(wanted):
                self.assertFalse(rules.permit(wanted))

    def test_deny(self) -> None:
        """Deny is stronger than allow."""
        rules = Rules(allow=(b"a.>",), deny=(b"a.secret.>", b"a.x"))
        self.assertTrue(rules.permit(b"a.b"))
        self.assertFalse(rules.permit(b"a.x"))
        self.assertFalse(rules.permit(b"a.secret.b"))
        self.assertFalse(rules.permit(b"a.secret.*"))

    def test_held_back(self) -> None:
        """What is denied below a pattern that is allowed is held back subject by subject."""
        rules = Rules(deny=(b"a.secret",))
        self.assertTrue(rules.permit(b"a.>"))
        bar = rules.bar(b"a.>")
        assert bar is not None
        self.assertTrue(bar(b"a.secret"))
        self.assertFalse(bar(b"a.b"))
        self.assertIsNone(rules.bar(b"b.>"))

    def test_remembers_a_limited_number(self) -> None:
        """Decisions are remembered, up to a limit; long subjects are decided each time."""
        rules = Rules(allow=(b"a.*",))
        for number in range(REMEMBERED + 10):
            self.assertTrue(rules.permit(b"a.%d" % number))
            self.assertTrue(rules.permit(b"a.%d" % number))
        self.assertLessEqual(len(rules._known), REMEMBERED)
        before = len(rules._known)
        self.assertTrue(rules.permit(b"a." + b"x" * 300))
        self.assertEqual(len(rules._known), before)
        self.assertEqual(rules, Rules(allow=(b"a.*",)))
