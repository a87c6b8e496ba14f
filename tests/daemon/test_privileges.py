"""Who the daemon becomes, and that any doubt about it is fatal."""

import os
import pwd
import subprocess
import sys
from textwrap import dedent
from unittest import skipUnless

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from netkit.config.schema import Account, Daemon
from netkit.daemon.privileges import (
    Identity,
    PrivilegeError,
    Target,
    look_up,
    prove_no_way_back,
    verify,
)
from tests.running import ROOT

NOBODY = pwd.getpwnam("nobody")
UNKNOWN = 54321
root_only = skipUnless(os.geteuid() == 0, "needs root")


class LookUpTests(SynchronousTestCase):
    def _refused(self, user: str, group: str | None = None) -> str:
        daemon = Daemon(Account(user), Account(group) if group else None)
        return str(self.assertRaises(ValueError, look_up, daemon))

    def test_by_name(self) -> None:
        """A user is found by name or number, with the group of its passwd entry."""
        wanted = Target(NOBODY.pw_uid, NOBODY.pw_gid, "nobody")
        self.assertEqual(look_up(Daemon(Account("nobody"))), wanted)
        self.assertEqual(look_up(Daemon(Account(str(NOBODY.pw_uid)))), wanted)
        self.assertIsNone(look_up(Daemon()))

    def test_numbers(self) -> None:
        """A number needs no passwd entry, but a group beside it."""
        daemon = Daemon(Account(str(UNKNOWN)), Account(str(UNKNOWN)))
        self.assertEqual(look_up(daemon), Target(UNKNOWN, UNKNOWN))
        self.assertIn("name a group beside it", self._refused(str(UNKNOWN)))

    def test_missing(self) -> None:
        """A user or group that is not there is told by name."""
        self.assertIn('there is no user "nobdy"', self._refused("nobdy"))
        self.assertIn('there is no group "nogrp"', self._refused("nobody", "nogrp"))

    def test_root(self) -> None:
        """Root is no one to become, by name, by number or by group."""
        for user, group in (("root", None), ("0", "0"), ("nobody", "root"), (str(UNKNOWN), "0")):
            with self.subTest(f"{user} {group}"):
                self.assertIn("is root or of its group", self._refused(user, group))


class VerifyTests(SynchronousTestCase):
    target = Target(UNKNOWN, UNKNOWN)
    root = Identity(frozenset({0}), frozenset({0}), frozenset({0}))

    def _doubt(self, target: Target | None, now: Identity) -> str:
        return str(self.assertRaises(PrivilegeError, verify, target, now))

    def test_as_wanted(self) -> None:
        """Who is exactly the target may serve; so may an ordinary user where none is named."""
        verify(self.target, self.target.identity)
        verify(None, self.target.identity)

    def test_root_unnamed(self) -> None:
        """Root with nobody to become is refused, with the line to write."""
        self.assertIn('write user = "nobody" in the table [daemon]', self._doubt(None, self.root))

    def test_anything_left(self) -> None:
        """One id of root's anywhere is enough to be refused."""
        for field in ("uids", "gids", "groups"):
            with self.subTest(field):
                now = evolve(self.target.identity, **{field: frozenset({0, UNKNOWN})})
                self.assertIn("it did not become 54321", self._doubt(self.target, now))
                self.assertIn("as root", self._doubt(None, now))

    def test_more_groups(self) -> None:
        """A group too many is refused: groups have to be exact."""
        now = evolve(self.target.identity, groups=frozenset({UNKNOWN, 4}))
        self.assertIn("groups are [4, 54321] and should be [54321]", self._doubt(self.target, now))

    def test_not_root(self) -> None:
        """An ordinary user that cannot become the target is told why."""
        now = Identity(frozenset({1000}), frozenset({1000}), frozenset({1000}))
        self.assertIn("only root can become 54321", self._doubt(self.target, now))


class ProcessTests(SynchronousTestCase):
    def in_a_process(self, program: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", dedent(program)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    @root_only
    def test_root_is_a_way_back(self) -> None:
        """While the process is root the proof fails."""
        self.assertIn("brought it back", str(self.assertRaises(PrivilegeError, prove_no_way_back)))

    @root_only
    def test_kept_saved_id(self) -> None:
        """A process that only changed its effective ids is found out."""
        ran = self.in_a_process("""
            import os
            from netkit.daemon.privileges import Identity, Target, prove_no_way_back, verify
            os.setgroups([54321])
            os.setegid(54321)
            os.seteuid(54321)
            for check in (lambda: verify(Target(54321, 54321), Identity.of_this_process()),
                          prove_no_way_back):
                try:
                    check()
                except Exception as error:
                    print(type(error).__name__)
            """)
        self.assertEqual(ran.stdout.split(), ["PrivilegeError", "PrivilegeError"], ran.stderr)

    @root_only
    def test_shed(self) -> None:
        """After shedding nothing of root is left, and there is no way back."""
        ran = self.in_a_process("""
            from netkit.daemon.privileges import Identity, Target, prove_no_way_back, shed, verify
            target = Target(54321, 54321)
            shed(target)
            verify(target, Identity.of_this_process())
            prove_no_way_back()
            print(open("/proc/self/status").read())
            """)
        status = dict(line.split(":", 1) for line in ran.stdout.splitlines() if ":" in line)
        self.assertEqual(status["Uid"].split(), ["54321"] * 4, ran.stderr)
        self.assertEqual(status["Gid"].split(), ["54321"] * 4)
        self.assertEqual(status["Groups"].split(), ["54321"])
