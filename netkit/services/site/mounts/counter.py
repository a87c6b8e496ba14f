"""The mount `counter`: each visit, at whatever path below it, is told its number."""

from attrs import frozen

from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import READING, method_not_allowed, text
from netkit.services.kind import MountKind, World


@frozen
class Settings:
    """A counter has no settings."""


class Counter:
    """Counts from 1 over the life of the server."""

    def __init__(self) -> None:
        self._visits = 0

    def answer(self, request: Request) -> Response:
        """Return the number of this visit."""
        if request.method not in READING:
            return method_not_allowed(*READING)
        self._visits += 1
        return text(b"I am request #%d" % self._visits)


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return a counter that starts at 1."""
    return Counter().answer


KIND = MountKind(name="counter", settings=Settings, build=build)
