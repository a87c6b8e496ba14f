"""From query to answer, by way of a backend."""

from pathlib import Path

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.finger import KIND, answers
from netkit.services.finger.answers import Answer, Outcome
from netkit.services.finger.directory import Directory, User
from netkit.services.finger.service import Finger
from netkit.services.finger.settings import Settings
from netkit.services.finger.users import Backend
from netkit.services.finger.wire import Query
from tests.services.finger.fakes import ADA, MOSHE, MOSHEZ, BrokenUsers, KnownUsers, Surroundings

SETTINGS = Settings(users=Path("users.toml"))


class FingerTests(SynchronousTestCase):
    def service(self, settings: Settings = SETTINGS, backend: Backend | None = None) -> Finger:
        """Return a service of the known users."""
        return Finger(settings, backend or KnownUsers(), Surroundings().world())

    def answer(self, query: Query, settings: Settings = SETTINGS) -> Answer:
        """Return the answer to `query`."""
        answering = self.service(settings).answer(query)
        return self.successResultOf(Deferred.fromCoroutine(answering))

    def test_moshez(self) -> None:
        """Row 1 of the tutorials: moshez is happy and well."""
        answer = self.answer(Query("moshez"))
        self.assertIn("Happy and well", answer.text.splitlines())
        self.assertEqual(Outcome.FOUND, answer.outcome)

    def test_unknown(self) -> None:
        """Row 1 of the tutorials: there is no such user."""
        self.assertEqual(answers.NO_SUCH_USER, self.answer(Query("nobody")))

    def test_real_name(self) -> None:
        """A word of a real name finds its user."""
        self.assertIn("Login: ada", self.answer(Query("LOVELACE")).text)

    def test_login_first(self) -> None:
        """Who has the login is the one who is asked for, whoever is called so; hidden too."""
        text = self.answer(Query("moshe")).text
        self.assertIn("Moshe Dayan", text)
        self.assertNotIn("Moshe Z.", text)

    def test_no_search(self) -> None:
        """By option nobody is found by the real name."""
        settings = evolve(SETTINGS, search=False)
        self.assertEqual(answers.NO_SUCH_USER, self.answer(Query("lovelace"), settings))

    def test_list(self) -> None:
        """An empty query gets the short list, without the hidden."""
        answer = self.answer(Query())
        self.assertEqual(Answer(answers.short_form([MOSHEZ, ADA]), Outcome.LISTED), answer)

    def test_list_in_full(self) -> None:
        """An empty query with /W gets everything about those listed."""
        text = self.answer(Query(verbose=True)).text
        self.assertEqual(2, text.count("Login: "))
        self.assertIn("Happy and well", text)

    def test_list_of_nobody(self) -> None:
        """Where all are hidden the list says so, /W or not."""
        service = self.service(backend=KnownUsers(Directory((MOSHE,))))
        for query in (Query(), Query(verbose=True)):
            answer = self.successResultOf(Deferred.fromCoroutine(service.answer(query)))
            self.assertEqual("Nobody is listed", answer.text)

    def test_list_denied(self) -> None:
        """By option there is no list."""
        settings = evolve(SETTINGS, list=False)
        self.assertEqual(answers.LIST_DENIED, self.answer(Query(), settings))
        self.assertEqual(answers.LIST_DENIED, self.answer(Query(verbose=True), settings))

    def test_forwarding(self) -> None:
        """Forwarding is refused before anybody is looked for."""
        query = Query("moshez", hosts=("h",))
        answering = self.service(backend=BrokenUsers()).answer(query)
        answer = self.successResultOf(Deferred.fromCoroutine(answering))
        self.assertEqual(answers.FORWARDING_DENIED, answer)

    def test_unprintable_name(self) -> None:
        """A name that nobody can have never reaches the backend."""
        answering = self.service(backend=BrokenUsers()).answer(Query("\x1b[2J"))
        answer = self.successResultOf(Deferred.fromCoroutine(answering))
        self.assertEqual(answers.NO_SUCH_USER, answer)

    def test_limit_of_long_forms(self) -> None:
        """Of more users than are told of in full there is the short form."""
        settings = evolve(SETTINGS, long_forms=2)
        people = (MOSHEZ, ADA, User(login="ben", name="Moshe Z. Ben"), MOSHE)
        service = self.service(settings, KnownUsers(Directory(people)))
        for query, full in ((Query("moshe z"), True), (Query(verbose=True), False)):
            answer = self.successResultOf(Deferred.fromCoroutine(service.answer(query)))
            self.assertEqual(full, "Plan:" in answer.text)
            self.assertIn("ben", answer.text)

    def test_failure_goes_through(self) -> None:
        """What the backend raises is the business of whoever asked."""
        answering = self.service(backend=BrokenUsers()).answer(Query("moshez"))
        self.failureResultOf(Deferred.fromCoroutine(answering), RuntimeError)

    def test_look_ups(self) -> None:
        """Whoever shows users in another way gets them as values, and keeps to the settings."""
        service = self.service(evolve(SETTINGS, list=False))
        listed = self.successResultOf(Deferred.fromCoroutine(service.listed()))
        found = self.successResultOf(Deferred.fromCoroutine(service.find("moshez")))
        (profile,) = self.successResultOf(Deferred.fromCoroutine(service.profiles(found)))
        self.assertEqual(((), (MOSHEZ,)), (listed, found))
        self.assertEqual("Happy and well", profile.plan)


class KindTests(SynchronousTestCase):
    def test_build(self) -> None:
        """The kind builds a service that answers from the file of its settings."""
        users = Path(self.mktemp())
        users.write_text("[moshez]\nname = 'Moshe Z.'\nplan = 'Happy and well'\n")
        service = KIND.build(Settings(users=users), {}, Surroundings().world())
        assert isinstance(service, Finger)
        answer = self.successResultOf(Deferred.fromCoroutine(service.answer(Query("moshez"))))
        self.assertIn("Happy and well", answer.text.splitlines())
        self.assertEqual("finger", KIND.name)
