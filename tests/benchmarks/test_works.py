"""The works that are declared."""

import tomllib
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.content import FILES, FOLDER
from benchmarks.machine import Place
from benchmarks.requests import Requests
from benchmarks.works import FAMILIES, chosen

ALL = [work for works in FAMILIES.values() for work in works]
PLACE = Place(Path("/scratch"), 1234, 5678)


class WorksTests(SynchronousTestCase):
    def test_names_are_unique(self) -> None:
        """A work is known by its name, and in it a side by its own."""
        self.assertEqual(len({work.name for work in ALL}), len(ALL))
        for work in ALL:
            self.assertEqual(len({side.name for side in work.sides}), len(work.sides))

    def test_works_without_netkit_are_not_in_the_table(self) -> None:
        """Until netkit has its part in a work, only who asks for everything sees it."""
        self.assertEqual(chosen((), everything=True), ALL)
        self.assertEqual(chosen((), everything=False), [work for work in ALL if work.netkit])

    def test_families_are_chosen_by_name(self) -> None:
        """The table keeps its order, whatever the order of the names."""
        names = ("idle", "echo")
        self.assertEqual(chosen(names, everything=True), [*FAMILIES["echo"], *FAMILIES["idle"]])

    def test_netkit_reads_its_configuration(self) -> None:
        """What netkit is given is TOML once the port is filled in."""
        sides = [work.netkit for work in ALL if work.netkit]
        configured = [side for side in sides if "netkit" in side.server.arguments]
        self.assertTrue(configured)
        for side in configured:
            text = side.server.files["netkit.toml"]
            self.assertIn("service", tomllib.loads(PLACE.fill(text)))

    def test_a_server_that_names_a_certificate_is_given_one(self) -> None:
        """A file that was named and is not there would end the server as it starts."""
        for work in ALL:
            for side in work.sides:
                words = (*side.server.arguments, *side.server.files.values())
                if any(".pem" in word for word in words):
                    self.assertTrue(any(side.server.pem in word for word in words), side.name)
                    self.assertTrue(side.server.pem, side.name)

    def test_every_server_is_given_its_port(self) -> None:
        """A server that does not hear which port it is to use would never be found."""
        for work in ALL:
            for side in work.sides:
                words = (*side.server.arguments, *side.server.files.values())
                self.assertTrue(any("$port" in word for word in words), side.name)

    def test_goals_stand_beside_peers_that_there_are(self) -> None:
        """A goal that is measured by nobody would never be seen."""
        for work in ALL:
            names = {peer.name for peer in work.peers[1:]}
            for row in work.rows:
                self.assertLessEqual(row.others.keys(), names, work.name)

    def test_everyone_is_asked_for_the_same(self) -> None:
        """Requests that differed from server to server would give ratios of nothing."""
        for work in ALL:
            loads = {side.load for side in work.sides if isinstance(side.load, Requests)}
            self.assertLessEqual(len(loads), 1, work.name)

    def test_servers_of_files_have_those_that_are_asked_for(self) -> None:
        """Netkit and its peers find the same files below the same folder."""
        for work in ALL:
            for side in work.sides:
                if work.name.startswith("static") and isinstance(side.load, Requests):
                    for page in side.load.pages:
                        name = FOLDER + page.path
                        self.assertEqual(side.server.files[name], FILES[name])
