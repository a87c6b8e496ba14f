"""The first rule that matches a subject says what slow subscribers go without."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.policies import Policies, Policy


class PoliciesTests(SynchronousTestCase):
    def test_first(self) -> None:
        """The first that matches decides; without one nothing is left out."""
        policies = Policies(
            [
                (b"a.b", Policy.DISCONNECT),
                (b"a.*", Policy.DROP_NEWEST),
                (b"a.>", Policy.DROP_OLDEST),
            ]
        )
        subjects = (b"a.b", b"a.c", b"a.c.d", b"b", b"a.c", b"x" * 1000)
        self.assertEqual(
            [policies.of(subject).value for subject in subjects],
            ["disconnect", "drop-newest", "drop-oldest", "disconnect", "drop-newest", "disconnect"],
        )

    def test_none(self) -> None:
        """Without rules there is nothing to look up."""
        self.assertFalse(Policies())
        self.assertTrue(Policies([(b"a", Policy.DROP_OLDEST)]))

    def test_many_subjects(self) -> None:
        """However many subjects come by, what is remembered of them is bounded."""
        policies = Policies([(b"a.>", Policy.DROP_OLDEST)])
        for number in range(5000):
            policies.of(b"a.%d" % number)
        self.assertLessEqual(len(policies._known), 1024)
