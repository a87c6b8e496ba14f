"""The running service: a query becomes an answer by way of the backend.

Rule: it knows no connection; whoever has a query, or a name, may ask it.
"""

from collections.abc import Sequence

from twisted.internet.interfaces import IProtocolFactory

from netkit.services.finger import answers
from netkit.services.finger.answers import Answer, Outcome
from netkit.services.finger.directory import Profile, User
from netkit.services.finger.protocol import FingerFactory
from netkit.services.finger.settings import Settings
from netkit.services.finger.users import Backend, UserFile
from netkit.services.finger.wire import Query
from netkit.services.kind import NoOptions, References, Running, World


class Finger(Running[NoOptions]):
    """Answers queries from `backend`.

    The look-ups `find`, `listed` and `profiles` keep to the settings and raise what the backend
    raises; they are for whoever shows the same users in another way.
    """

    def __init__(self, settings: Settings, backend: Backend, world: World) -> None:
        self._settings = settings
        self._backend = backend
        self._world = world

    def factory(self, options: NoOptions) -> IProtocolFactory:  # noqa: ARG002 (there are none)
        """Return what serves a listener's connections."""
        return FingerFactory(self.answer, self._settings, self._world)

    async def find(self, name: str) -> tuple[User, ...]:
        """Return the user whose login is `name`; without one, those whose real names match it."""
        user = await self._backend.user(name)
        if user is not None:
            return (user,)
        return await self._backend.search(name) if self._settings.search else ()

    async def listed(self) -> tuple[User, ...]:
        """Return the users anybody may have the list of; none where the list is refused."""
        return await self._backend.users() if self._settings.list else ()

    async def profiles(self, users: Sequence[User]) -> tuple[Profile, ...]:
        """Return `users` with their texts, one after the other."""
        return tuple([await self._backend.profile(user) for user in users])

    async def answer(self, query: Query) -> Answer:
        """Return the answer to `query`; what a backend raises goes through."""
        refusal = answers.refusal(query, listing=self._settings.list)
        if refusal:
            return refusal
        if not query.name:
            users = await self.listed()
            return Answer(await self._shown(users, in_full=query.verbose), Outcome.LISTED)
        users = await self.find(query.name)
        if not users:
            return answers.NO_SUCH_USER
        return Answer(await self._shown(users, in_full=True), Outcome.FOUND)

    async def _shown(self, users: Sequence[User], *, in_full: bool) -> str:
        if in_full and 0 < len(users) <= self._settings.long_forms:
            return answers.long_forms(await self.profiles(users))
        return answers.short_form(users)


def build(settings: Settings, references: References, world: World) -> Finger:  # noqa: ARG001 (none)
    """Return the service that answers from the file that `settings` names; raise ConfigError."""
    backend = UserFile(settings.users, settings.plans, world.clock, world.log)
    return Finger(settings, backend, world)
