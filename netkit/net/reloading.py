"""A store of identities follows its files: it is read again when they change, or on request.

A file is looked at from time to time, never per handshake, and what is read is used as a whole or not
at all. Rule: nothing of what the files hold ends the watch or the store; the worst is a line in the
log, and that the old identities stay.
"""

import os
from collections.abc import Callable
from datetime import datetime

from attrs import define
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from netkit.net.certificates import Fault
from netkit.net.identities import Identities
from netkit.net.pemfiles import Signature, out_of_sight, signature
from netkit.net.tls import Content, Source, Store

INTERVAL = 1.0  # seconds from look to look
LONGEST_UNREST = 10  # looks, after which files that never come to rest are read all the same
PATIENCE = 60  # looks, after which files with faults are read again though they did not change

_NAMED = 5  # names in a line of the log


@define
class Attention:
    """Tells from signatures, taken one after the other, when files should be read.

    That is when they have changed since they were last `judged` and rest, which is to say that two
    looks saw the same: a file may be half written. Pure.
    """

    judged: Signature
    _last: Signature
    _unrest: int = 0

    def calls(self, seen: Signature) -> bool:
        """Return whether files that are seen like this now should be read now."""
        rests, self._last = seen == self._last, seen
        self._unrest = self._unrest + 1 if seen != self.judged else 0
        return self._unrest > 0 and (rests or self._unrest >= LONGEST_UNREST)

    def judge(self, seen: Signature) -> None:
        """Take note that files that were seen like this are being read."""
        self.judged = self._last = seen
        self._unrest = 0


class Watch(Service):
    """Reads a store's files again for as long as it runs.

    `name` is the store's, as in "tls.main", `seen` the signature from before the `store` was first
    read from its `source`. Files are looked at on `clock`; whether a certificate has expired is asked
    of `wall`, which returns the time of day with its zone.
    """

    def __init__(  # noqa: PLR0913 (each is something else, and none has a default)
        self,
        name: str,
        source: Source,
        store: Store,
        seen: Signature,
        *,
        clock: IReactorTime,
        wall: Callable[[], datetime],
        log: Logger,
    ) -> None:
        self.setName(name)
        self._source = source
        self._store = store
        self._attention = Attention(seen, seen)
        self._wall = wall
        self._log = log
        self._faults: tuple[Fault, ...] = ()
        self._patience = PATIENCE
        self._looking = LoopingCall(self.look)
        self._looking.clock = clock

    def startService(self) -> None:
        """Begin to look.

        What had been seen by root, and is out of sight for who the process is by now, has not changed.
        """
        super().startService()
        seen = signature(self._source.paths)
        if out_of_sight(seen):
            self._attention.judge(seen)
        looking = self._looking.start(INTERVAL, now=False)
        looking.addErrback(lambda failure: self._log.failure("{name}", failure, name=self.name))

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._looking.running:
            self._looking.stop()

    def look(self) -> None:
        """Look at the files, and read them where they have changed and rest.

        Files with faults are read again after a while: a certificate may have become valid, or the
        process may have had no descriptor left.
        """
        seen = signature(self._source.paths)
        self._patience -= bool(self._faults)
        if self._attention.calls(seen):
            self._read(seen, asked=False)
        elif not self._patience:
            self._read(self._attention.judged, asked=False)

    def reload(self) -> tuple[Fault, ...]:
        """Read the files now, and return why they cannot be used: nothing where they are in use."""
        self._read(signature(self._source.paths), asked=True)
        return self._faults

    def _read(self, seen: Signature, *, asked: bool) -> None:
        changed = asked or seen != self._attention.judged
        self._attention.judge(seen)
        self._patience = PATIENCE
        content = self._source.read(self._wall())
        faults, self._faults = self._faults, content.faults
        if content.faults:
            if changed or content.faults != faults:
                self._explain(content.faults)
        elif asked or faults or not self._in_use(content):
            self._store.replace(content.found.identities, content.authorities.certificates)
            self._announce(content.found.identities)

    def _in_use(self, content: Content) -> bool:
        """Return whether nothing of `content` is new."""
        shown = content.found.identities == self._store.identities
        return shown and content.authorities.certificates == self._store.terms.authorities

    def _announce(self, identities: Identities) -> None:
        names = [name for each in identities.members for name in each.names]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        self._log.info(
            "{store} has new certificates, for {names}{more}; the first expires on {expires} UTC",
            store=self.name,
            names=", ".join(names[:_NAMED]) or "nobody",
            more=more,
            expires=f"{identities.expires:%Y-%m-%d %H:%M}",
        )

    def _explain(self, faults: tuple[Fault, ...]) -> None:
        denied = [fault.file for fault in faults if fault.denied]
        if denied:
            self._log.warn(
                "{store} keeps its certificates: {files} cannot be read by user {user}, which netkit"
                " is by now; let that user read it, or start netkit anew as root",
                store=self.name,
                files=", ".join(denied),
                user=os.geteuid(),
            )
        for fault in faults:
            if not fault.denied:
                self._log.warn(
                    "{store} keeps its certificates: {file} {text}",
                    store=self.name,
                    file=fault.file,
                    text=fault.text,
                )
