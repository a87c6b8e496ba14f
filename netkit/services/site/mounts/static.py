"""The mount `static`: the files of a folder.

Only regular files are shown, no symbolic link is followed (see `beneath`), and names that begin with
a dot are hidden. Answers have no validators yet (Last-Modified, ETag), so that no cache keeps what
has changed.
"""

import os
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path

from attrs import frozen

from netkit.document.values import quoted
from netkit.http.mediatypes import media_type
from netkit.http.messages import FileRange, Handler, Request, Response
from netkit.http.pages import NOSNIFF, READING, error_page, method_not_allowed, redirect
from netkit.services.kind import Complaint, MountKind, World
from netkit.services.site.beneath import Found, find


@frozen
class Settings:
    """`root` is the folder, `index` the file that is shown for a folder.

    With `extension`, a path that leads to nothing is tried with it: `/test` shows `test.html`
    where `extension` is ".html".
    """

    root: Path
    index: str = "index.html"
    extension: str = ""


def answer(settings: Settings, request: Request) -> Response:
    """Return the file that the path names, or a redirect from a folder to its slash."""
    if request.method not in READING:
        return method_not_allowed(*READING)
    if not request.path:
        return redirect(request.base + "/", request.query)
    *folders, name = request.path.split("/")[1:]
    names = (*folders, name or settings.index)
    if not all(map(_visible, names)):
        return error_page(HTTPStatus.NOT_FOUND)
    found = find(settings.root, names)
    if found is Found.NOTHING and name and settings.extension:
        names = (*folders, name + settings.extension)
        found = find(settings.root, names)
    if found is Found.FOLDER and name:
        return redirect(request.base + request.path + "/", request.query)
    return _shown(found, names[-1])


def _visible(name: str) -> bool:
    return bool(name) and not name.startswith(".")


def _shown(found: FileRange | Found, name: str) -> Response:
    if isinstance(found, Found):
        return error_page(HTTPStatus.NOT_FOUND)
    return Response(HTTPStatus.OK, ((b"Content-Type", media_type(name)), NOSNIFF), found)


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the folder and the names."""
    if not os.path.isdir(settings.root):  # noqa: PTH112 (Path.is_dir raises where a folder is shut)
        text = f"{quoted(str(settings.root))} is no folder; the folder whose files are shown"
        yield Complaint(("root",), text)
    if not _visible(settings.index) or "/" in settings.index:
        text = f'{quoted(settings.index)} is no name of a file; one such as "index.html"'
        yield Complaint(("index",), text)
    if settings.extension and (settings.extension[0] != "." or "/" in settings.extension):
        text = f'{quoted(settings.extension)} is no extension; one such as ".html"'
        yield Complaint(("extension",), text)


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return the mount; the folder is opened anew for each request."""
    return partial(answer, settings)


KIND = MountKind(name="static", settings=Settings, build=build, complaints=complaints)
