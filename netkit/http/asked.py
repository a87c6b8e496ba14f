"""A question that waits for its answer, wherever it waits.

Rule: whoever asked hears exactly one thing, an answer or why there is none, or nothing once the
question was taken back.
"""

from typing import Protocol

from twisted.internet.defer import Deferred

from netkit.http.asking import Answer, Question


class Place(Protocol):
    """Where a question waits."""

    def take_back(self, asked: "Asked") -> None:
        """Do no more for `asked`: nobody wants the answer."""


class Asked:
    """A question, and the Deferred of its answer until that is there.

    `again`: it has been asked before, on a connection that turned out to be lost.
    """

    __slots__ = ("again", "answered", "place", "question", "since")

    def __init__(self, question: Question, place: Place) -> None:
        self.question = question
        self.place = place
        self.again = False
        self.since = 0.0
        self.answered: Deferred[Answer] | None = Deferred(self._cancel)

    def _cancel(self, _: Deferred[Answer]) -> None:
        self.answered = None
        self.place.take_back(self)

    def answer(self, answer: Answer) -> None:
        """Tell the answer."""
        answered, self.answered = self.answered, None
        if answered is not None:
            answered.callback(answer)
        else:
            answer.close()

    def fail(self, error: BaseException) -> None:
        """Tell why there is none."""
        answered, self.answered = self.answered, None
        if answered is not None:
            answered.errback(error)
