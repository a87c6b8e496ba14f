"""The proxy behind this one, its parent: how it is told who asks.

Rule: a password for the parent stands in no repr, no log and no complaint.
"""

import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from netkit.document.values import quoted
from netkit.http.messages import Headers
from netkit.net.connect import Connector
from netkit.net.users import user_complaint
from netkit.services.kind import Complaint
from netkit.services.proxy.routing import Parent
from netkit.services.proxy.settings import Settings

_FILE_BYTES = 1024


def parent(settings: Settings, connector: Connector) -> Parent | None:
    """Return the parent that `settings` name, where they do; its file of a password is read now.

    `connector` has the policy ANYWHERE, since an operator has written the parent down.
    """
    if settings.parent is None:
        return None
    return Parent(settings.parent.way(connector), _headers(settings))


def _headers(settings: Settings) -> Headers:
    if not settings.parent_user:
        return ()
    login = f"{settings.parent_user}:{_password(settings)}".encode()
    return ((b"Proxy-Authorization", b"Basic " + b64encode(login)),)


def _password(settings: Settings) -> str:
    file = settings.parent_password_file
    if file is None:
        return settings.parent_password
    return file.read_bytes().decode().partition("\n")[0].rstrip("\r")


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the keys of the parent."""
    keys = ("parent_user", "parent_password", "parent_password_file")
    if settings.parent is None:
        for key in keys:
            if getattr(settings, key):
                yield Complaint((key,), 'is for a parent; write parent = "tcp:HOST:PORT"')
        return
    wrong = user_complaint(settings.parent_user) if settings.parent_user else None
    if wrong:
        yield Complaint(("parent_user",), wrong)
    secret = bool(settings.parent_password), bool(settings.parent_password_file)
    if any(secret) and not settings.parent_user:
        yield Complaint(("parent_user",), "is missing; a password is somebody's")
    if all(secret):
        yield Complaint(("parent_password",), "stands in a file too; one of the two")
    if settings.parent_password_file and not _readable(settings.parent_password_file):
        text = f"{quoted(str(settings.parent_password_file))} is no file of a password in UTF-8"
        yield Complaint(("parent_password_file",), text)


def _readable(file: Path) -> bool:
    # Path.is_file raises where a folder above may not be entered.
    if not os.path.isfile(file) or os.path.getsize(file) > _FILE_BYTES:  # noqa: PTH113, PTH202
        return False
    try:
        return bool(file.read_bytes().decode())
    except (OSError, ValueError):
        return False
