"""Become the user that the configuration names, and prove that there is no way back to root.

twistd binds as root, sheds, and starts the services. It only warns where shedding failed and cannot
take a number that has no passwd entry; so the numbers are worked out here, and after the shedding
every id is read back (credentials(7)). Rule: any doubt is fatal.
"""

import encodings.idna  # noqa: F401 (a codec is imported when first used: too late, see `shed`)
import grp
import os
import pwd
from collections.abc import Callable, Iterator
from typing import TypeVar

from attrs import frozen

from netkit.config.schema import Account, Daemon
from netkit.document.values import quoted

Entry = TypeVar("Entry")
ROOT = 0


class PrivilegeError(Exception):
    """The process is not who it should be; the text is for the operator."""


@frozen
class Identity:
    """Who a process is: its user ids and group ids (real, effective, saved), and its groups."""

    uids: frozenset[int]
    gids: frozenset[int]
    groups: frozenset[int]

    @classmethod
    def of_this_process(cls) -> "Identity":
        """Return who this process is."""
        groups = frozenset(os.getgroups())
        return cls(frozenset(os.getresuid()), frozenset(os.getresgid()), groups)

    @property
    def is_root(self) -> bool:
        """Whether anything of root is left."""
        return ROOT in self.uids | self.gids | self.groups


@frozen
class Target:
    """Who the daemon shall be; `login` is empty where the user is a number without passwd entry."""

    uid: int
    gid: int
    login: str = ""

    @property
    def groups(self) -> list[int]:
        """The supplementary groups that go with the user, its own group among them."""
        return os.getgrouplist(self.login, self.gid) if self.login else [self.gid]

    @property
    def identity(self) -> Identity:
        """Who a process is that has shed everything else."""
        return Identity(
            frozenset({self.uid}), frozenset({self.gid}), frozenset({*self.groups, self.gid})
        )


def look_up(daemon: Daemon) -> Target | None:
    """Return who the table `[daemon]` names, or None where it names nobody.

    Raise ValueError with what is wrong and what would be right.
    """
    if daemon.user is None:
        return None
    target = _user(daemon.user, daemon.group)
    if ROOT in {target.uid, target.gid}:
        raise ValueError('is root or of its group; name another, as in user = "nobody"')
    return target


def _user(user: Account, group: Account | None) -> Target:
    entry = _entry(pwd.getpwuid, pwd.getpwnam, user)
    if entry is not None:
        return Target(entry.pw_uid, _gid(group) if group else entry.pw_gid, entry.pw_name)
    if user.number is None:
        raise ValueError(f"there is no user {quoted(user.name)}; name one that exists")
    if group is None:
        raise ValueError(f"{user.name} has no passwd entry; name a group beside it")
    return Target(user.number, _gid(group))


def _gid(group: Account) -> int:
    if group.number is not None:
        return group.number
    entry = _entry(grp.getgrgid, grp.getgrnam, group)
    if entry is None:
        raise ValueError(f"there is no group {quoted(group.name)}; name one that exists")
    return entry.gr_gid


def _entry(
    by_number: Callable[[int], Entry], by_name: Callable[[str], Entry], account: Account
) -> Entry | None:
    try:
        return by_name(account.name) if account.number is None else by_number(account.number)
    except (KeyError, OverflowError):
        return None


def shed(target: Target) -> None:
    """Become `target` at once; for the numbers that twistd cannot take, those without a login.

    From here on Python's own files may be out of reach, as with an interpreter in root's home:
    whatever serves must have been imported by now.
    """
    os.setgroups(target.groups)
    os.setresgid(target.gid, target.gid, target.gid)
    os.setresuid(target.uid, target.uid, target.uid)


def verify(target: Target | None, now: Identity) -> None:
    """Return where the process, which is `now`, is who it should be; else raise PrivilegeError."""
    for doubt in _doubts(target, now):
        raise PrivilegeError(doubt)


def _doubts(target: Target | None, now: Identity) -> Iterator[str]:
    if target is None:
        if now.is_root:
            yield (
                "it would serve as root; name a user for it to become:"
                ' write user = "nobody" in the table [daemon]'
            )
        return
    wanted = target.identity
    if now == wanted:
        return
    who = target.login or target.uid
    if ROOT not in now.uids and now.uids != wanted.uids:
        yield f"only root can become {who}; start it as root, or take user out of [daemon]"
    for what in ("uids", "gids", "groups"):
        if getattr(now, what) != getattr(wanted, what):
            yield (
                f"it did not become {who}: {what} are {sorted(getattr(now, what))}"
                f" and should be {sorted(getattr(wanted, what))}"
            )


def prove_no_way_back() -> None:
    """Try to become root again; raise PrivilegeError where that works."""
    for attempt in (os.setuid, os.seteuid, os.setgid, os.setegid):
        try:
            attempt(ROOT)
        except PermissionError:
            continue
        raise PrivilegeError(f"root was shed, yet {attempt.__name__}(0) brought it back")
