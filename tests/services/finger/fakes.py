"""What finger's tests put in the place of the world: a log that is a list, backends without files."""

from attrs import Factory, define
from twisted.internet.defer import Deferred, succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, formatEvent
from zope.interface import implementer

from netkit.services.finger.directory import Directory, Profile, TextFile, User
from netkit.services.kind import World

MOSHEZ = User(login="moshez", name="Moshe Z.", office="12", plan="Happy and well")
ADA = User(login="ada", name="Ada Lovelace", project="Notes")
MOSHE = User(login="moshe", name="Moshe Dayan", hidden=True)


@implementer(ILogObserver)
@define
class Log:
    """Keeps what is logged."""

    events: list[LogEvent] = Factory(list)

    def __call__(self, event: LogEvent) -> None:
        self.events.append(event)

    def logger(self) -> Logger:
        """Return a logger whose events are kept here and come out nowhere else."""
        return Logger(namespace="test", observer=self)

    def lines(self, level: LogLevel = LogLevel.info) -> list[str]:
        """Return the events of `level` as text."""
        return [formatEvent(event) for event in self.events if event["log_level"] is level]


@define
class Surroundings:
    """A world and the means to look at it and turn its clock."""

    log: Log = Factory(Log)
    clock: MemoryReactorClock = Factory(MemoryReactorClock)

    def world(self) -> World:
        """Return the world as a service gets it."""
        return World(clock=self.clock, network=self.clock, log=self.log.logger())


@define
class KnownUsers:
    """A backend that has its users at hand."""

    directory: Directory = Factory(lambda: Directory((MOSHEZ, ADA, MOSHE)))

    def user(self, login: str) -> Deferred[User | None]:
        """Return the user of that login."""
        return succeed(self.directory.user(login))

    def search(self, name: str) -> Deferred[tuple[User, ...]]:
        """Return the users of that name."""
        return succeed(self.directory.search(name))

    def users(self) -> Deferred[tuple[User, ...]]:
        """Return the users who are not hidden."""
        return succeed(self.directory.listed())

    def profile(self, user: User) -> Deferred[Profile]:
        """Return the user with texts; there are no files, so a text in a file is the file's path."""
        plan = user.plan.path if isinstance(user.plan, TextFile) else user.plan
        project = user.project.path if isinstance(user.project, TextFile) else user.project
        return succeed(Profile(user, plan, project))


class SlowUsers(KnownUsers):
    """A backend that answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = 0
        self.asked: Deferred[User | None] = Deferred(self._cancel)

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    def user(self, login: str) -> Deferred[User | None]:
        """Return what the test will fire."""
        return self.asked


class BrokenUsers(KnownUsers):
    """A backend that raises at once instead of returning a Deferred."""

    def user(self, login: str) -> Deferred[User | None]:
        """Raise."""
        raise RuntimeError(f"the disk with {login} is on fire")
