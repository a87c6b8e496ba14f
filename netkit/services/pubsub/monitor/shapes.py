"""The values of a service at one moment as a NATS server shows them: the same keys, the same types.

Rule: a key for which there is no true value is left out. What NATS does not have is named as NATS
would name it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from attrs import frozen

from netkit.net.addresses import SocketAddress, literal
from netkit.services.pubsub.connected import Connected, Connection
from netkit.services.pubsub.counters import Figures
from netkit.services.pubsub.fabric.counters import FabricFigures
from netkit.services.pubsub.monitor import texts
from netkit.services.pubsub.monitor.asked import Asked, Listed
from netkit.services.pubsub.monitor.writing import Shape
from netkit.services.pubsub.nats.greeting import Info
from netkit.services.pubsub.nats.servers import parse
from netkit.services.pubsub.nats.writing import Delivered
from netkit.services.pubsub.settings import Settings
from netkit.services.pubsub.subscriptions import Subscription

_LONG = 256  # bytes


@frozen(kw_only=True)
class Moment:
    """When it is, and at which server.

    `wall` is in seconds since 1970, `clock` in those in which connections are timed.
    """

    server_id: str
    wall: float
    clock: float

    def written(self, clock: float) -> str:
        """Return the time at which the clock said `clock`."""
        return texts.instant(self.wall - (self.clock - clock))

    def since(self, clock: float) -> str:
        """Return how long that is ago."""
        return texts.uptime(self.clock - clock)


@frozen(kw_only=True)
class Server:
    """A service at one moment; `since` is when it began, by the clock.

    `listening` is where NATS clients connect, where that is one place; `base` the path of the mount.
    `memory` is in bytes, `load` in percent of a processor, each None where it is not known. `asked`
    is how often each page was asked for.
    """

    info: Info
    settings: Settings
    figures: Figures
    fabric: FabricFigures | None
    since: float
    listening: SocketAddress | None
    requires_tls: bool
    base: str
    memory: int | None
    load: float | None
    cores: int
    asked: Mapping[str, int]


def varz(server: Server, moment: Moment) -> Shape:
    """Return what `/varz` shows: who the server is, its limits, and its figures."""
    return {
        **_identity(server),
        **_limits(server.settings),
        "http_base_path": server.base,
        **_neighbours(server.settings),
        "start": moment.written(server.since),
        "now": texts.instant(moment.wall),
        "uptime": moment.since(server.since),
        **_process(server),
        **_figures(server.figures, server.fabric),
        "http_req_stats": dict(server.asked),
    }


def connz(shown: Sequence[Connected], total: int, asked: Asked, moment: Moment, most: int) -> Shape:
    """Return what `/connz` shows: connections, of which there are `total`.

    At most `most` subscriptions stand in it; a long one counts for several.
    """
    left = iter(range(most))
    connections = [_connection(one, asked, moment, left) for one in shown]
    return {
        **_heading(moment),
        "num_connections": len(connections),
        "total": total,
        "offset": asked.offset,
        "limit": asked.limit,
        "connections": connections,
    }


def subsz(subscriptions: int, remembered: int, inserted: int, moment: Moment) -> Shape:
    """Return what `/subsz` shows: how many subscriptions there are, were, and are remembered."""
    return {
        **_heading(moment),
        "num_subscriptions": subscriptions,
        "num_cache": remembered,
        "num_inserts": inserted,
        "num_removes": inserted - subscriptions,
    }


def leafz(fabric: FabricFigures | None, moment: Moment) -> Shape:
    """Return what `/leafz` shows: the server that the node is an edge of, and all of the fabric."""
    leafs = [_leaf(fabric)] if fabric is not None and fabric.server else []
    shape = {**_heading(moment), "leafnodes": len(leafs), "leafs": leafs}
    return shape if fabric is None else {**shape, "fabric": _fabric(fabric)}


def healthz(error: str) -> Shape:
    """Return what `/healthz` shows, without an `error` that all is well."""
    return {"status": "unavailable", "error": error} if error else {"status": "ok"}


def _heading(moment: Moment) -> Shape:
    return {"server_id": moment.server_id, "now": texts.instant(moment.wall)}


def _identity(server: Server) -> Shape:
    info, listening = server.info, server.listening
    there = () if listening is None else (("host", str(listening.host)), ("port", listening.port))
    return {
        "server_id": info.server_id,
        "server_name": info.server_name,
        "version": info.version,
        "proto": info.proto,
        **dict(there),
        "auth_required": server.settings.wants_login,
        "tls_required": server.requires_tls,
    }


def _limits(settings: Settings) -> Shape:
    nats = settings.nats
    return {
        "max_connections": settings.clients,
        "max_subscriptions": nats.subscriptions,
        "ping_interval": texts.nanoseconds(nats.ping_interval),
        "ping_max": nats.pings_out,
        "auth_timeout": nats.login_timeout,
        "max_control_line": nats.control_line,
        "max_payload": nats.max_payload,
        "max_pending": settings.pending_bytes,
        "tls_timeout": nats.login_timeout,
        "write_deadline": texts.nanoseconds(settings.pending_seconds),
    }


def _neighbours(settings: Settings) -> Shape:
    """Return with whom the server is: as an edge with those of its cluster."""
    urls = [str(parse(url)) for url in settings.fabric.servers]
    leaf = {"remotes": [{"urls": urls}]} if urls else {}
    return {"cluster": {}, "gateway": {}, "leaf": leaf, "mqtt": {}, "jetstream": {}}


def _process(server: Server) -> Shape:
    known = {"mem": server.memory, "cores": server.cores, "cpu": server.load}
    return {key: value for key, value in known.items() if value is not None}


def _figures(here: Figures, fabric: FabricFigures | None) -> Shape:
    counted = (0, 0, 0, 0)
    if fabric is not None:
        counted = (fabric.in_messages, fabric.in_bytes, fabric.out_messages, fabric.out_bytes)
    return {
        "connections": here.connections,
        "total_connections": here.total_connections,
        "routes": 0,
        "remotes": 0,
        "leafnodes": int(fabric is not None and bool(fabric.server)),
        "in_msgs": here.in_messages + counted[0],
        "in_bytes": here.in_bytes + counted[1],
        "in_client_msgs": here.in_messages,
        "in_client_bytes": here.in_bytes,
        "out_msgs": here.out_messages + counted[2],
        "out_bytes": here.out_bytes + counted[3],
        "out_client_msgs": here.out_messages,
        "out_client_bytes": here.out_bytes,
        "missed_msgs": here.missed,
        "slow_consumers": here.slow_consumers,
        "stale_connections": here.stale_connections,
        "subscriptions": here.subscriptions,
        "slow_consumer_stats": _by_sort(here.slow_consumers),
        "stale_connection_stats": _by_sort(here.stale_connections),
    }


def _by_sort(clients: int) -> Shape:
    return {"clients": clients, "routes": 0, "gateways": 0, "leafs": 0}


def _connection(one: Connected, asked: Asked, moment: Moment, left: Iterator[int]) -> Shape:
    tally, seen, round_trip = one.tally, one.shown(), one.round_trip
    return {
        "cid": one.number,
        "kind": "Client",
        "type": seen.kind,
        **_address(seen),
        "start": moment.written(tally.since),
        "last_activity": moment.written(tally.last),
        **({} if round_trip is None else {"rtt": texts.duration(round_trip)}),
        "uptime": moment.since(tally.since),
        "idle": moment.since(tally.last),
        "pending_bytes": one.pending,
        "in_msgs": tally.in_messages,
        "out_msgs": tally.out_messages,
        "in_bytes": tally.in_bytes,
        "out_bytes": tally.out_bytes,
        "subscriptions": len(one.wanted),
        **_own_words(seen, asked),
        **_listed(one, asked.listed, left),
    }


def _address(seen: Connection) -> Shape:
    return {} if seen.address is None else {"ip": seen.address[0], "port": seen.address[1]}


def _own_words(seen: Connection, asked: Asked) -> Shape:
    words = {
        "name": seen.name,
        "lang": seen.lang,
        "version": seen.version,
        "tls_version": seen.tls_version.removeprefix("TLSv"),
        "tls_cipher_suite": seen.tls_cipher,
        "authorized_user": seen.user if asked.auth else "",
    }
    return {key: value for key, value in words.items() if value}


def _listed(one: Connected, listed: Listed, left: Iterator[int]) -> Shape:
    """Return the subscriptions, as many as are `left` to be shown."""
    if listed is Listed.NOTHING:
        return {}
    there = _as_many(one.wanted, left)
    if listed is Listed.SUBJECTS:
        subjects = [_text(each.pattern) for each in there]
        return {"subscriptions_list": subjects} if subjects else {}
    details = [_detail(each, one.number) for each in there]
    return {"subscriptions_list_detail": details} if details else {}


def _as_many(
    wanted: Iterable[Subscription[Any]], left: Iterator[int]
) -> Iterator[Subscription[Any]]:
    for each in wanted:
        cost = 1 + len(each.pattern) // _LONG
        if len(tuple(islice(left, cost))) < cost:
            return
        yield each


def _detail(subscription: Subscription[Any], cid: int) -> Shape:
    queue, form = subscription.queue, subscription.form
    return {
        "subject": _text(subscription.pattern),
        **({"qgroup": _text(queue)} if queue else {}),
        **({"sid": _text(form.sid)} if isinstance(form, Delivered) else {}),
        "cid": cid,
    }


def _text(written: bytes) -> str:
    return written.decode(errors="backslashreplace")


def _leaf(fabric: FabricFigures) -> Shape:
    host, _, port = fabric.server.rpartition(":")
    host = host.strip("[]")
    return {
        "is_spoke": True,
        **({"ip": host} if literal(host) is not None else {}),
        "port": int(port),
        "in_msgs": fabric.in_messages,
        "out_msgs": fabric.out_messages,
        "in_bytes": fabric.in_bytes,
        "out_bytes": fabric.out_bytes,
        "subscriptions": fabric.subscriptions,
    }


def _fabric(fabric: FabricFigures) -> Shape:
    return {
        "linked": bool(fabric.server),
        "server": fabric.server,
        "links": fabric.links,
        "in_msgs": fabric.in_messages,
        "in_bytes": fabric.in_bytes,
        "out_msgs": fabric.out_messages,
        "out_bytes": fabric.out_bytes,
        "pending_msgs": fabric.pending_messages,
        "pending_bytes": fabric.pending_bytes,
        "dropped_msgs": fabric.dropped,
        "kept_msgs": fabric.kept,
        "too_long_msgs": fabric.too_long,
        "stray_msgs": fabric.strays,
    }
