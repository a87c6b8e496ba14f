"""What is shipped: the package, the command, and one plugin file that shadows nothing of Twisted's."""

import shutil
import sys
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path
from unittest import SkipTest
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from tests.running import ROOT, TWISTD, run

PLUGIN = "twisted/plugins/netkit_plugin.py"


def _sources() -> set[str]:
    return {str(path.relative_to(ROOT)) for path in (ROOT / "netkit").rglob("*.py")}


class WheelTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Build a wheel from a copy of the checkout."""
        folder = Path(self.mktemp()).absolute()
        skip = shutil.ignore_patterns(".*", "build", "*.egg-info", "_trial_temp*", "__pycache__")
        shutil.copytree(ROOT, folder / "source", ignore=skip)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        built = run([*build, "--wheel-dir", str(folder), str(folder / "source")])
        self.assertEqual(built.returncode, 0, built.stderr)
        (self.wheel,) = folder.glob("*.whl")
        self.folder = folder

    def test_contents(self) -> None:
        """The wheel has every module, the type marker, exactly one file below twisted/, no test."""
        with ZipFile(self.wheel) as wheel:
            names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        self.assertEqual(names, {*_sources(), "netkit/py.typed", PLUGIN})
        self.assertTrue(self.wheel.name.startswith("netkit_daemon-"))

    def test_plugin_is_found(self) -> None:
        """Where the wheel is installed, twistd lists netkit."""
        site = self.folder / "site"
        with ZipFile(self.wheel) as wheel:
            wheel.extractall(site)
        listed = run([str(TWISTD), "--help"], path=str(site))
        self.assertRegex(listed.stdout, r"\n +netkit +finger, echo, pub/sub")


class CheckoutTests(SynchronousTestCase):
    def test_editable(self) -> None:
        """An editable install is seen by twistd from any folder."""
        try:
            metadata.distribution("netkit-daemon")
        except metadata.PackageNotFoundError:
            raise SkipTest("netkit is not installed in this environment") from None
        listed = run([str(TWISTD), "--help"], path="", cwd="/")
        self.assertRegex(listed.stdout, r"\n +netkit +finger, echo, pub/sub")

    def test_no_package_of_twisted(self) -> None:
        """No __init__.py lies in the folders that belong to Twisted."""
        self.assertEqual([str(path) for path in (ROOT / "twisted").rglob("__init__.py")], [])

    def test_metadata(self) -> None:
        """setup.cfg owns the metadata; pyproject.toml has no table that would drop it."""
        setup = ConfigParser()
        setup.read(ROOT / "setup.cfg")
        self.assertEqual(setup["metadata"]["name"], "netkit-daemon")
        self.assertNotIn("[project]", (ROOT / "pyproject.toml").read_text())
