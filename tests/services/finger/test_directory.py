"""Who is found in a directory by which name."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.finger.directory import Directory, User
from tests.services.finger.fakes import ADA, MOSHE, MOSHEZ

JOSE = User(login="jose.p", name="Jos\u00e9 O'Brien-P\u00e9rez")
ANNA = User(login="anna", name="Anna Lovelace")
PEOPLE = Directory((MOSHEZ, ADA, MOSHE, JOSE, ANNA))


class DirectoryTests(SynchronousTestCase):
    def test_by_login(self) -> None:
        """A login finds exactly its user, and nothing else does."""
        self.assertEqual(MOSHEZ, PEOPLE.user("moshez"))
        self.assertIsNone(PEOPLE.user("MOSHEZ"))
        self.assertIsNone(PEOPLE.user("Lovelace"))

    def test_by_word_of_the_real_name(self) -> None:
        """A word of a real name finds all who have it, in upper or lower case, in order."""
        self.assertEqual((ADA, ANNA), PEOPLE.search("LOVELACE"))
        self.assertEqual((MOSHEZ,), PEOPLE.search("z"))
        self.assertEqual((JOSE,), PEOPLE.search("o'brien-p\u00e9rez"))

    def test_all_words_must_be_there(self) -> None:
        """Several words find those who have all of them, in any order."""
        self.assertEqual((ADA,), PEOPLE.search("lovelace Ada"))
        self.assertEqual((), PEOPLE.search("moshe lovelace"))

    def test_part_of_a_word(self) -> None:
        """A part of a word finds nobody."""
        self.assertEqual((), PEOPLE.search("love"))
        self.assertEqual((), PEOPLE.search(""))
        self.assertEqual((), PEOPLE.search("..."))

    def test_login_without_case(self) -> None:
        """A search knows logins too, without case."""
        self.assertEqual((MOSHEZ,), PEOPLE.search("MosheZ"))
        self.assertEqual((JOSE,), PEOPLE.search("Jose.P"))

    def test_composed_or_not(self) -> None:
        """A letter and its accent are the same in one character or in two."""
        decomposed = User(login="j", name="Jose\u0301")
        self.assertEqual((decomposed,), Directory((decomposed,)).search("jos\u00e9"))

    def test_hidden(self) -> None:
        """A hidden user is found by the exact login only, and is in no list."""
        self.assertEqual(MOSHE, PEOPLE.user("moshe"))
        self.assertEqual((MOSHEZ,), PEOPLE.search("moshe"))
        self.assertEqual((MOSHEZ, ADA, JOSE, ANNA), PEOPLE.listed())

    def test_comparable(self) -> None:
        """Two directories of the same users are equal."""
        self.assertEqual(Directory((ADA,)), Directory((ADA,)))
        self.assertNotEqual(Directory((ADA,)), Directory((ANNA,)))
