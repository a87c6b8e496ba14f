"""Imports point one way: tap, daemon, config, services, http, net; nothing happens at import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "netkit"
GROUND = {"errors", "files", "document", "passwords", "replacing", "values"}
ORDER = ("net", "http", "services", "config", "daemon")
MAY = {
    "errors": set(),
    "files": set(),
    "document": {"errors"},
    "passwords": set(),
    "replacing": set(),
    "values": set(),
    **{room: GROUND | set(ORDER[:floor]) for floor, room in enumerate(ORDER)},
    "tools": GROUND | {"net", "http", "services"},  # of services what is SPOKEN
    "tap": GROUND | {"daemon", "net"},
    "application": GROUND | {"daemon"},
}
PURE = {
    "dotsegments",
    "naming",
    "listing",
    "conditions",
    "dates",
    "encodings",
    "fields",
    "ranges",
    "wire",
    "directory",
    "answers",
    "plans",
    "broker",
    "gathering",
    "counters",
    "interest",
    "subscriptions",
    "tree",
    "permissions",
    "grammar",
    "verbs",
    "greeting",
    "headers",
    "writing",
    "session",
    "edge",
    "side",
    "subscribed",
    "pending",
    "policies",
    "backlog",
    "forwarded",
    "lines",
    "policy",
    "redaction",
    "routes",
    "subjects",
    "targets",
    "messages",
    "heads",
    "sections",
    "chunked",
    "framing",
    "pace",
    "values",
    "passwords",
    "access",
    "allowance",
    "hosts",
    "patterns",
    "redirects",
    "splitting",
    "html",
    "decoding",
    "charsets",
    "senders",
    "tally",
    "balancing",
    "health",
    "servers",
    "sticky",
    "ring",
    "ends",
    "newlines",
    "reading",
    "ports",
    "verdicts",
    "timing",
    "schedule",
}
SPOKEN = PURE | {"line"}
"""What the command may have of a service: its formats, and the client's end of its protocol."""
IMPURE = ("twisted", "time", "datetime", "socket")


def imports(source: str) -> Iterator[str]:
    """Yield the whole dotted names that `source` imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def trespasses(module: str, source: str) -> list[str]:
    """Return the imports that `module`, a dotted name, must not have."""
    _, room, *inside = module.split(".")
    found = []
    for name in imports(source):
        target = name.split(".")
        if target[0] != "netkit" or len(target) == 1:
            continue
        abroad = target[1] != room and target[1] not in MAY[room]
        neighbour = (
            room == target[1] == "services"
            and len(inside) > 1
            and target[2] not in {inside[0], "kind"}
        )
        impure = room == "tools" and target[1] == "services" and not SPOKEN & set(target[3:])
        if abroad or neighbour or impure:
            found.append(f"{module} imports {name}")
    return found


def modules() -> Iterator[tuple[str, str]]:
    """Yield every module of netkit: its dotted name (`__init__` is spelt out), and its source."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if name != "netkit.__init__":
            yield name, path.read_text()


class LayeringTests(SynchronousTestCase):
    def test_one_way(self) -> None:
        """No module imports from a room above it, and no service from another."""
        found = [wrong for name, source in modules() for wrong in trespasses(name, source)]
        self.assertEqual(found, [])

    def test_turned_round(self) -> None:
        """The check above sees an import that is turned round."""
        turned = {
            "netkit.net.limits": "from netkit.http import messages",
            "netkit.services.echo.wire": "import netkit.services.finger.wire",
            "netkit.services.kind": "def f():\n    from netkit.config.plan import Plan",
            "netkit.tools.get": "from netkit.services.kinds import KINDS",
            "netkit.tools.finger": "from netkit.services.finger.protocol import Answering",
        }
        for module, source in turned.items():
            with self.subTest(module):
                self.assertEqual(len(trespasses(module, source)), 1)

    def test_rules_are_pure(self) -> None:
        """Wire formats and state import neither Twisted nor a clock."""
        impure = [
            f"{module} imports {name}"
            for module, source in modules()
            for name in imports(source)
            if module.rpartition(".")[2] in PURE and name.split(".")[0] in IMPURE
            if not name.startswith("twisted.internet.interfaces.")  # names of types
        ]
        self.assertEqual(impure, [])

    def test_nothing_at_import(self) -> None:
        """Importing every module of netkit installs no reactor."""
        names = [name.removesuffix(".__init__") for name, _ in modules()]
        program = dedent(f"""
            import importlib, sys
            for name in {names!r}:
                importlib.import_module(name)
            sys.exit("twisted.internet.reactor" in sys.modules)
        """)
        ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False)
        self.assertEqual(ran.returncode, 0)
