"""What the table of a finger service may hold, and what is wrong with what it names."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from attrs import frozen

from netkit.document.values import Between, Seconds, quoted
from netkit.services.finger.users import read_users, why_unreadable
from netkit.services.finger.wire import ANSWER_BYTES, QUERY_BYTES
from netkit.services.kind import Complaint


@frozen(kw_only=True)
class Settings:
    """The table's own keys.

    `users`: the file of users, whose form stands in `netkit.services.finger.users`.
    `plans`: the folder beneath which the files stand that `plan_file` and `project_file` name.
    `list`: an empty query gets the list of users; else it is refused.
    `search`: a name that is nobody's login is looked for among the real names.
    `banner`: stands above every answer.
    `timeout`: seconds from the connection to its end: for the query, the look-up and the answer.
    `query_bytes`: the longest query, with the end of its line.
    `answer_bytes`: the longest answer; of more the first lines are sent.
    `long_forms`: of how many users an answer tells everything; of more it has the short form.
    """

    users: Path
    plans: Path | None = None
    list: bool = True
    search: bool = True
    banner: str | None = None
    timeout: Seconds = 10
    query_bytes: Annotated[int, Between(16, 64 * 1024, "bytes")] = QUERY_BYTES
    answer_bytes: Annotated[int, Between(1024, 64 * 1024 * 1024, "bytes")] = ANSWER_BYTES
    long_forms: Annotated[int, Between(1, 1000, "users")] = 16


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the folder and the file of users.

    Raises ConfigError, behind all complaints, where the file can be read and has problems.
    """
    # Path.is_dir raises where a folder above may not be entered.
    if settings.plans is not None and not os.path.isdir(settings.plans):  # noqa: PTH112
        yield Complaint(("plans",), f"{quoted(str(settings.plans))} is not a folder that is there")
    unreadable = why_unreadable(settings.users)
    if unreadable:
        yield Complaint(("users",), f"{quoted(str(settings.users))} {unreadable}")
    else:
        read_users(settings.users, plans=settings.plans is not None)
