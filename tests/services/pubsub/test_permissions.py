"""What users may publish and subscribe to."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.permissions import OWN, REMEMBERED, Permissions, Rules, is_own
from netkit.services.pubsub.subjects import covers


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

    def test_deny_as_naively(self) -> None:
        """What a pattern denies is just what it covers, wherever its wildcards stand."""
        patterns = (b"a", b"a.b", b"a.*", b"a.>", b"a*.b", b"*.b", b">", b"*", b"a.*.c", b"a>.x")
        wanted = (*patterns, b"ab", b"a.b.c", b"b.b", b"a.x.c", b"a.bc", b"a*.c")
        for denied in patterns:
            rules = Rules(deny=(denied,))
            for each in wanted:
                with self.subTest((denied, each)):
                    self.assertEqual(rules.permit(each), not covers(denied, each))

    def test_own(self) -> None:
        """What the service says itself nobody else may say, by whichever permissions."""
        for permissions in (Permissions(), Permissions(Rules((b">",)), Rules(deny=(b"a",)))):
            besides = permissions.besides(OWN)
            for subject in (b"_MISSED", b"_MISSED.a", b"_MISSEDX", b"_missed.a", b"x._MISSED.a"):
                self.assertEqual(besides.publish.permit(subject), not is_own(subject))
            self.assertTrue(besides.subscribe.permit(b"_MISSED.>"))
        self.assertEqual([is_own(b"_MISSED.a.b"), is_own(b"_MISSEDX")], [True, False])

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


class WithinTests(SynchronousTestCase):
    def test_both(self) -> None:
        """What is permitted within other permissions, both permit."""
        rules = Rules(allow=(b"a.>",), deny=(b"a.x",))
        other = Rules(allow=(b"*.*",), deny=(b"a.y",))
        for one, limit in ((rules, other), (other, rules)):
            both = Permissions(publish=one).within(Permissions(publish=limit)).publish
            self.assertTrue(both.permit(b"a.b"))
            for wanted in (b"a.x", b"a.y", b"a.b.c", b"b.c", b"a.>"):
                with self.subTest(wanted):
                    self.assertFalse(both.permit(wanted))

    def test_held_back(self) -> None:
        """What either denies is held back, and nothing where neither does."""
        one, other = Rules(deny=(b"a.x",)), Rules(deny=(b"a.y",))
        both = Permissions(subscribe=one).within(Permissions(subscribe=other)).subscribe
        bar = both.bar(b"a.*")
        assert bar is not None
        self.assertEqual([bar(b"a.x"), bar(b"a.y"), bar(b"a.z")], [True, True, False])
        self.assertIsNone(both.bar(b"b"))

    def test_nothing_more(self) -> None:
        """Permissions for everything take nothing away, and add nothing."""
        rules = Rules(allow=(b"a",))
        for both in (
            Permissions(publish=rules).within(Permissions()),
            Permissions().within(Permissions(publish=rules)),
        ):
            self.assertTrue(both.publish.permit(b"a"))
            self.assertFalse(both.publish.permit(b"b"))
            self.assertTrue(both.subscribe.permit(b">"))
