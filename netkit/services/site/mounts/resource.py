"""The mount `resource`: a resource of twisted.web's, or a WSGI application, by its dotted name.

The module is imported while the configuration is looked at, by `--check` too and before root is shed,
so that one that cannot be is an operator's mistake with a line of its own. It is looked for where
Python looks for modules; the current folder is not among those unless PYTHONPATH says so.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, cast
from warnings import catch_warnings, simplefilter

from attrs import frozen
from twisted.internet.interfaces import IReactorFromThreads
from twisted.web.resource import IResource

from netkit.document.values import Between, Count, quoted
from netkit.http.messages import Handler
from netkit.http.resources import FORM_BYTES, SESSIONS, resource_handler
from netkit.http.workers import Workers
from netkit.http.wsgi import WAITING, WsgiHost
from netkit.services.kind import Complaint, MountKind, World


@frozen
class Settings:
    """`name` is the dotted name of a resource, or of what returns one when it is called; `wsgi` that of
    an application, as in "package.module:app". One of the two is there.

    A posted form that is read for a resource has at most `form_bytes`, of its visitors at most
    `sessions` have one. An application has `threads`, and so many requests may be `waiting` for one.
    """

    name: str | None = None
    wsgi: str | None = None
    form_bytes: Annotated[int, Between(0, 2**30, "bytes, 0 to read none")] = FORM_BYTES
    sessions: Count = SESSIONS
    threads: Annotated[int, Between(1, 1000, "threads")] = 10
    waiting: Count = WAITING


class _NotThereError(Exception):
    """A dotted name leads to nothing that could be shown; the text is for the operator."""


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield why there is nothing to show; a callable that makes the resource is called for that."""
    if settings.name is None and settings.wsgi is None:
        text = 'is missing; as in name = "package.page", or wsgi = "package:app" instead'
        yield Complaint(("name",), text)
        return
    if settings.name is not None and settings.wsgi is not None:
        yield Complaint(("name",), "stands beside wsgi; one of the two, and not both")
        return
    try:
        _shown(settings)
    except _NotThereError as error:
        yield Complaint(("name" if settings.wsgi is None else "wsgi",), str(error))


def _shown(settings: Settings) -> Any:  # noqa: ANN401
    """Return the resource or the application; raise _NotThereError."""
    # What a module of others' warns of while it is imported is told by its own tests.
    with catch_warnings():
        simplefilter("ignore", DeprecationWarning)
        if settings.wsgi is not None:
            return _application(settings.wsgi)
        return _resource(settings.name or "")


def _resource(name: str) -> IResource:
    found = _found(name)
    if not IResource.providedBy(found) and callable(found):
        try:
            found = found()
        except Exception as error:
            raise _NotThereError(f"{quoted(name)} cannot be called: {_cause(error)}") from error
    if not IResource.providedBy(found):
        right = "a resource of twisted.web's, or what returns one"
        raise _NotThereError(f"{quoted(name)} is {_described(found)}; {right}")
    return found


def _application(name: str) -> Any:  # noqa: ANN401
    module, _, attribute = name.partition(":")
    if not _dotted(module) or not _dotted(attribute):
        raise _NotThereError(f'{quoted(name)} is not right; as in "package.module:app"')
    found = _below(name, _imported(name, module), module, attribute.split("."))
    if not callable(found):
        raise _NotThereError(f"{quoted(name)} is {_described(found)}; a WSGI application")
    return found


def _found(name: str) -> Any:  # noqa: ANN401
    module, *rest = name.split(".")
    if not rest or not _dotted(name):
        raise _NotThereError(f'{quoted(name)} is no dotted name; as in "package.module.attribute"')
    return _below(name, _imported(name, module), module, rest)


def _dotted(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _imported(name: str, module: str) -> Any:  # noqa: ANN401
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise _NotThereError(f"{quoted(name)} cannot be imported: {_cause(error)}") from error
        where = "" if "." in error.name else "; PYTHONPATH says where modules are besides"
        text = f"{quoted(name)} is not there: there is no module {quoted(error.name)}{where}"
        raise _NotThereError(text) from None
    except (Exception, SystemExit) as error:
        raise _NotThereError(f"{quoted(name)} cannot be imported: {_cause(error)}") from error


def _below(name: str, found: Any, where: str, rest: list[str]) -> Any:  # noqa: ANN401
    """Return what the attributes `rest` lead to; those of a package may be modules still to import."""
    for part in rest:
        if not hasattr(found, part) and hasattr(found, "__path__"):
            _imported(name, f"{where}.{part}")
        if not hasattr(found, part):
            text = f"{quoted(name)} is not there: {quoted(where)} has no {quoted(part)}"
            raise _NotThereError(text)
        found, where = getattr(found, part), f"{where}.{part}"
    return found


def _described(found: object) -> str:
    return f"an object of type {type(found).__name__}"


def _cause(error: BaseException) -> str:
    """Return an exception as one line."""
    return f"{type(error).__name__}: {quoted(str(error))}"


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return the mount; the threads of an application come and go with its requests."""
    found = _shown(settings)
    if settings.wsgi is not None:
        reactor = cast("IReactorFromThreads", world.network)
        workers = Workers(settings.threads, world.log)
        found = WsgiHost(found, reactor, workers, settings.waiting)
    return resource_handler(
        found,
        clock=world.clock,
        log=world.log,
        sessions=settings.sessions,
        form_bytes=0 if settings.wsgi is not None else settings.form_bytes,
    )


KIND = MountKind(name="resource", settings=Settings, build=build, complaints=complaints)
