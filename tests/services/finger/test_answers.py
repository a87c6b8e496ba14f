"""How users read in an answer."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.finger import answers
from netkit.services.finger.directory import Profile, User
from netkit.services.finger.wire import Query
from tests.services.finger.fakes import ADA, MOSHEZ


class RefusalTests(SynchronousTestCase):
    def test_words(self) -> None:
        """Refusals are in the words of RFC 1288 3.2.1 and 3.2.2, and of the tutorial."""
        self.assertEqual("Finger forwarding service denied", answers.FORWARDING_DENIED.text)
        self.assertEqual("Finger online user list denied", answers.LIST_DENIED.text)
        self.assertEqual("No such user", answers.NO_SUCH_USER.text)
        self.assertEqual("Internal error in server", answers.INTERNAL_ERROR.text)

    def test_forwarding(self) -> None:
        """A query with a host is refused, whatever else it asks."""
        for query in (
            Query("a", hosts=("h",)),
            Query(hosts=("",)),
            Query("\x1b", hosts=("h", "i")),
        ):
            self.assertEqual(answers.FORWARDING_DENIED, answers.refusal(query, listing=True))

    def test_list(self) -> None:
        """The list is refused only where listing is off, /W or not."""
        for query in (Query(), Query(verbose=True)):
            self.assertEqual(answers.LIST_DENIED, answers.refusal(query, listing=False))
            self.assertIsNone(answers.refusal(query, listing=True))

    def test_name_that_nobody_can_have(self) -> None:
        """Nobody is called anything unprintable, so that no backend sees it."""
        self.assertEqual(answers.NO_SUCH_USER, answers.refusal(Query("mo\x1bshez"), listing=True))
        self.assertIsNone(answers.refusal(Query("moshez"), listing=False))


class ShortFormTests(SynchronousTestCase):
    def test_table(self) -> None:
        """The short form is a table with a line for each user."""
        self.assertEqual(
            "Login   Name          Office  Phone\nmoshez  Moshe Z.      12\nada     Ada Lovelace\n",
            answers.short_form([MOSHEZ, ADA]),
        )

    def test_nobody(self) -> None:
        """A list of nobody says so."""
        self.assertEqual("Nobody is listed", answers.short_form([]))

    def test_one_wide_cell(self) -> None:
        """A very long name is written out and does not widen the other lines."""
        table = answers.short_form([User(login="x", name="n" * 90, office="1"), MOSHEZ])
        self.assertIn("n" * 90 + "  1", table)
        self.assertLess(len(table.splitlines()[2]), 60)

    def test_a_name_is_one_line(self) -> None:
        """Line ends in a name cannot make a line of their own."""
        table = answers.short_form([User(login="x", name="a\nroot  Root")])
        self.assertEqual(2, len(table.splitlines()))


class LongFormTests(SynchronousTestCase):
    def test_everything(self) -> None:
        """The long form has login, name, office, phone, project and plan."""
        user = User(login="moshez", name="Moshe Z.", office="12", phone="555-1234")
        self.assertEqual(
            "Login: moshez                           Name: Moshe Z.\n"
            "Office: 12                              Phone: 555-1234\n"
            "Project:\n"
            "netkit\n"
            "Plan:\n"
            "Happy\n"
            "  and well\n",
            answers.long_form(Profile(user, "Happy\n  and well\n\n", "netkit\n")),
        )

    def test_only_a_name(self) -> None:
        """What is not there is left out, but for the plan."""
        self.assertEqual(
            "Login: x                                Name: X\nNo Plan.\n",
            answers.long_form(Profile(User(login="x", name="X"), " \n", "")),
        )

    def test_office_or_phone(self) -> None:
        """Either of office and phone stands alone where the other is missing."""
        office = answers.long_form(Profile(User(login="x", name="X", office="1"), "", ""))
        phone = answers.long_form(Profile(User(login="x", name="X", phone="2"), "", ""))
        self.assertEqual("Office: 1", office.splitlines()[1])
        self.assertEqual("Phone: 2", phone.splitlines()[1])

    def test_a_name_is_one_line(self) -> None:
        """Line ends in a name cannot make a line of their own."""
        text = answers.long_form(Profile(User(login="x", name="X\nPlan:\nforged"), "", ""))
        self.assertEqual(2, len(text.splitlines()))

    def test_several(self) -> None:
        """A blank line stands between two users."""
        text = answers.long_forms([Profile(ADA, "", ""), Profile(MOSHEZ, "", "")])
        self.assertEqual(["", "Login: moshez"], [line[:13] for line in text.splitlines()[2:4]])
