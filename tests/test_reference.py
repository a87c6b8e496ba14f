"""etc/netkit.toml is the reference: every option that exists stands there, with its default."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from netkit.config.schema import Daemon, Log, Tls
from netkit.net.limits import Limits
from netkit.services.kinds import KINDS
from tests.running import ROOT

REFERENCE = ROOT / "etc" / "netkit.toml"
_COMMENTED = re.compile(r"^#(\w+) = ", re.MULTILINE)


def _whole() -> str:
    """Return the reference with every default written out."""
    return _COMMENTED.sub(r"\1 = ", REFERENCE.read_text())


def _keys(kind: type[Any]) -> set[str]:
    return {field.name for field in attrs.fields(kind)}


def _tables() -> Iterator[tuple[str, set[str], dict[str, Any]]]:
    """Yield each sort of table: its name, the keys that exist, and those of all its examples."""
    tables = tomllib.loads(_whole())
    for name, table in (("daemon", Daemon), ("log", Log), ("limits", Limits)):
        yield name, _keys(table), tables[name]
    yield "tls", _keys(Tls), tables["tls"]["main"]
    for kind in KINDS:
        examples = {
            name: service
            for name, service in tables["service"].items()
            if service.get("kind", name) == kind.name
        }
        written = {key: value for each in examples.values() for key, value in each.items()}
        yield kind.name, _keys(kind.settings), written
        for inner in attrs.fields(kind.settings):
            if attrs.has(type(inner.default)):
                path = f"{kind.name}.{inner.name}"
                yield path, _keys(type(inner.default)), written[inner.name]
        for mount in kind.mounts:
            mounts = [
                each
                for service in tables["service"].values()
                for each in service.get("mount", ())
                if each["kind"] == mount.name
            ]
            together = {key: value for each in mounts for key, value in each.items()}
            yield f"mount {mount.name}", _keys(mount.settings) | {"path"}, together
            for inner in attrs.fields(mount.settings):
                if attrs.has(type(inner.default)):
                    path = f"mount {mount.name}.{inner.name}"
                    yield path, _keys(type(inner.default)), together[inner.name]


class ReferenceTests(SynchronousTestCase):
    def test_every_option(self) -> None:
        """No option is missing from the reference, and it has none that does not exist."""
        common = {"kind", "listen", "limits", "path", "service"}
        for name, exist, written in _tables():
            with self.subTest(name):
                self.assertEqual(exist - written.keys(), set())
                self.assertEqual(written.keys() - exist - common, set())

    def test_defaults(self) -> None:
        """A value that stands behind a # is the default."""
        plain = tomllib.loads(REFERENCE.read_text())
        whole = tomllib.loads(_whole())
        self.assertEqual(list(_differing(plain, whole)), [])


def _differing(plain: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    for name, common in (("log", Log), ("limits", Limits)):
        yield from _not_default(name, common, plain.get(name, {}), whole[name])
    for name, table in whole["service"].items():
        (kind,) = (each for each in KINDS if each.name == table.get("kind", name))
        yield from _not_default(name, kind.settings, plain["service"][name], table)
        mounts = zip(plain["service"][name].get("mount", ()), table.get("mount", ()), strict=True)
        for as_written, mount in mounts:
            yield from _tables_not_default(as_written, mount)


def _tables_not_default(plain: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    """Look at the tables that a mount has; its own keys have examples that are no defaults."""
    (kind,) = (each for kind in KINDS for each in kind.mounts if each.name == whole["kind"])
    for field in attrs.fields(kind.settings):
        if attrs.has(type(field.default)):
            inner = plain.get(field.name, {}), whole[field.name]
            yield from _not_default(f"{kind.name}.{field.name}", type(field.default), *inner)


def _not_default(
    name: str, kind: type[Any], plain: dict[str, Any], whole: dict[str, Any]
) -> Iterator[str]:
    for field in attrs.fields(kind):
        if attrs.has(type(field.default)):
            inner = plain.get(field.name, {}), whole[field.name]
            yield from _not_default(f"{name}.{field.name}", type(field.default), *inner)
            continue
        if field.name not in whole.keys() - plain.keys():
            continue
        written, default = whole[field.name], getattr(field.default, "value", field.default)
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type] # a function to its stubs
            default = default.factory()
        if isinstance(default, tuple):
            default = [str(each).removesuffix("/128") for each in default]
            written = [str(each) for each in written]
        if default is not None and written != default:
            yield f"{name}.{field.name}: {written} is not {default}"
