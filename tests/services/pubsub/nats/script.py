"""What a client from elsewhere (nats-py) and bare sockets experience at a server, as text.

A program: its argument is JSON with the ports of one server without logins and, if there are any, of
others with users and with TLS; what it prints is to be the same for every server.
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import nats
from nats.errors import Error, MaxPayloadError, NoRespondersError, TimeoutError  # noqa: A004 (its name)

_PATIENCE = 20.0  # seconds
_HELLO = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n'
_RAW = {
    "verbose": b"CONNECT {}\r\nSUB a 1\r\nPUB a 1\r\nx\r\nUNSUB 1\r\nPING\r\n",
    "before connect": b"SUB a 1\r\nPING\r\n",
    "spaces": _HELLO + b"sub  a\t 1 \r\npub a   1\r\nx\r\nPiNg\r\n",
    "line feeds": _HELLO + b"SUB a 1\nPING\n",
    "unknown verb": _HELLO + b"PING\r\nWHAT\r\nPING\r\n",
    "bad subject": _HELLO + b"SUB a..b 1\r\nPING\r\n",
    "same sid": _HELLO + b"SUB a 1\r\nSUB b 1\r\nPUB b 0\r\n\r\nPUB a 0\r\n\r\nPING\r\n",
    "no echo": b'CONNECT {"verbose":false,"echo":false}\r\nSUB a 1\r\nPUB a 0\r\n\r\nPING\r\n',
    "headers": _HELLO + b"SUB a 1\r\nHPUB a r 18 19\r\nNATS/1.0\r\nA: b\r\n\r\nx\r\nPING\r\n",
    "unsubscribe": _HELLO + b"SUB a 1\r\nUNSUB 1 2\r\n" + b"PUB a 1\r\nx\r\n" * 3 + b"PING\r\n",
    "queue": _HELLO + b"SUB a q 1\r\nSUB a q 1\r\n" + b"PUB a 0\r\n\r\n" * 2 + b"PING\r\n",
    "wildcards": _HELLO + b"SUB a.*.c 1\r\nPUB a.b.c 0\r\n\r\nPUB a.b 0\r\n\r\nPING\r\n",
    "literal wildcard": _HELLO + b"SUB a 1\r\nPUB a 2\r\n\r\n\r\nPING\r\n",
    "too long": _HELLO + b"PUB a 2000000\r\n",
    "control line": _HELLO + b"SUB " + b"a" * 5000 + b" 1\r\n",
    "publish to empty tokens": _HELLO + b"SUB > 1\r\nPUB a..b 0\r\n\r\nPING\r\n",
    "pedantic": b'CONNECT {"verbose":false}\r\nPUB a..b 0\r\n\r\nPUB a.* 0\r\n\r\nPING\r\n',
    "size that lies": _HELLO + b"PUB a 1\r\nxyz\r\nPING\r\n",
    "requires headers": b'CONNECT {"no_responders":true,"headers":false}\r\nPING\r\n',
}
_ROOM = b"PUB a.9 0\r\n\r\nPUB a.10 0\r\n\r\nUNSUB 1\r\nSUB b 2000\r\nPUB b 0\r\n\r\nPING\r\n"

Section = Callable[[dict[str, Any]], Awaitable[None]]


def tell(*words: object) -> None:
    """Print one line of the transcript."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")


async def flushed(client: Any) -> None:
    """Wait until the server has done all that `client` has said.

    nats-py sends the PING of a flush before what waits to be sent, and so two are needed.
    """
    await client.flush()
    await client.flush()


async def raw(told: dict[str, Any]) -> None:
    """Bytes and what comes back, without INFO."""
    for name, said in _RAW.items():
        await _say(name, told["plain"], said)


async def crowded(told: dict[str, Any]) -> None:
    """More subscriptions than the ten that a client may have."""
    for count in (10, 11, 1000):
        sent = b"".join(b"SUB a.%d %d\r\n" % (number, number) for number in range(count))
        await _say(f"{count} subscriptions", told["ten"], _HELLO + sent + _ROOM)


async def _say(name: str, port: int, said: bytes) -> None:
    """Tell what comes back until a PONG or the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    info = await reader.readline()
    writer.write(said)
    heard = b""
    end = "stays"
    with suppress(asyncio.TimeoutError, ConnectionError):
        while not heard.endswith(b"PONG\r\n") or name == "unknown verb":
            more = await asyncio.wait_for(reader.read(65536), _PATIENCE)
            if not more:
                end = "is let go"
                break
            heard += more
    tell(name, info[:6], heard, end)
    writer.close()


async def _got(subscription: Any, count: int) -> list[str]:
    found = [await subscription.next_msg(timeout=_PATIENCE) for _ in range(count)]
    return [f"{message.subject} {message.reply and 'reply'} {message.data!r}" for message in found]


async def messages(told: dict[str, Any]) -> None:
    """Publish and subscribe, queues, requests, headers."""
    one, two = [await nats.connect(f"nats://127.0.0.1:{told['plain']}") for _ in range(2)]
    everything, exact = await two.subscribe("a.>"), await two.subscribe("a.b")
    await flushed(two)
    for number in range(3):
        await one.publish("a.b", b"%d" % number)
        await one.publish("a.c.d", b"x" * number)
    tell("wild", await _got(everything, 6))
    tell("exact", await _got(exact, 3))
    await one.publish("a.b", b"headed", headers={"One": "1", "Two": "two words"})
    headed = await exact.next_msg(timeout=_PATIENCE)
    tell("headers", headed.headers, headed.data)
    big = b"y" * 1_000_000
    await one.publish("a.b", big)
    tell("big", (await exact.next_msg(timeout=_PATIENCE)).data == big)
    try:
        await one.publish("a.b", b"z" * 2_000_000)
    except MaxPayloadError as error:
        tell("too big", error)
    work: list[bytes] = []
    done = asyncio.Event()

    async def do(message: Any) -> None:
        work.append(message.data)
        if message.data == b"59":
            done.set()

    members = [await two.subscribe("work", queue="q", cb=do) for _ in range(3)]
    await flushed(two)
    for number in range(60):
        await one.publish("work", b"%d" % number)
    await asyncio.wait_for(done.wait(), _PATIENCE)
    await flushed(two)
    tell("queue", len(members), len(set(work)), len(work))
    few = await two.subscribe("few")
    await few.unsubscribe(2)
    await flushed(two)
    for number in range(4):
        await one.publish("few", b"%d" % number)
    tell("few", await _got(few, 2))
    await requests(one, two)
    await one.close()
    await two.close()


async def requests(one: Any, two: Any) -> None:
    """Questions, answers, and nobody to answer."""

    async def answer(message: Any) -> None:
        await message.respond(b"re: " + message.data)

    await two.subscribe("ask", cb=answer)
    await flushed(two)
    tell("request", (await one.request("ask", b"1", timeout=_PATIENCE)).data)
    tell("old style", (await one.request("ask", b"2", timeout=_PATIENCE, old_style=True)).data)
    for subject in ("nobody", "$JS.API.INFO"):
        try:
            await one.request(subject, b"", timeout=_PATIENCE)
        except NoRespondersError as error:
            tell("nobody", error)
    silent = await two.subscribe("silent")
    await flushed(two)
    try:
        await one.request("silent", b"", timeout=0.1)
    except TimeoutError as error:
        tell("silent", type(error).__name__, silent.pending_msgs)


async def drain(told: dict[str, Any]) -> None:
    """A drained subscription and a drained connection lose nothing that was sent before."""
    heard: list[bytes] = []
    closed = asyncio.Event()

    async def is_closed() -> None:
        closed.set()

    url = f"nats://127.0.0.1:{told['plain']}"
    one, two = await nats.connect(url), await nats.connect(url, closed_cb=is_closed)

    async def slowly(message: Any) -> None:
        await asyncio.sleep(0.001)
        heard.append(message.data)

    subscription = await two.subscribe("d", cb=slowly)
    await two.subscribe("e", cb=slowly)
    last = await two.subscribe("last")
    await flushed(two)
    for number in range(50):
        await one.publish("d", b"%d" % number)
        await one.publish("e", b"%d" % number)
    await one.publish("last", b"")
    await _got(last, 1)
    await subscription.drain()
    tell("drained subscription", len(heard) >= 50)
    await one.publish("d", b"late")
    await flushed(one)
    await two.drain()
    await closed.wait()
    tell("drained", len(heard), b"late" in heard, two.is_closed)
    await one.close()


async def reconnect(told: dict[str, Any]) -> None:
    """A client whose connection is cut comes back, with its subscriptions."""
    cut: list[asyncio.StreamWriter] = []

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", told["plain"])
        cut.extend((writer, far_writer))

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.CancelledError):
                while data := await source.read(65536):
                    sink.write(data)
            sink.close()

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    back = asyncio.Event()

    async def came_back() -> None:
        back.set()

    async def quiet(_: Exception) -> None: ...

    client = await nats.connect(
        f"nats://127.0.0.1:{port}",
        reconnect_time_wait=0.05,
        reconnected_cb=came_back,
        error_cb=quiet,
    )
    subscription = await client.subscribe("again")
    await flushed(client)
    for writer in cut:
        writer.transport.abort()
    await asyncio.wait_for(back.wait(), _PATIENCE)
    await client.publish("again", b"still here")
    tell("reconnected", await _got(subscription, 1), client.stats["reconnects"])
    await client.close()
    server.close()


async def _try(what: str, url: str, **options: Any) -> Any:
    errors: list[Exception] = []

    async def keep(error: Exception) -> None:
        errors.append(error)

    try:
        client = await nats.connect(
            url, allow_reconnect=False, max_reconnect_attempts=1, error_cb=keep, **options
        )
    except Error as error:
        tell(what, type(error).__name__, error)
        return None, errors
    except OSError:
        tell(what, "is let go")
        return None, errors
    tell(what, "welcome")
    return client, errors


async def logins(told: dict[str, Any]) -> None:
    """Users and passwords, tokens, and what each may do."""
    url = f"nats://127.0.0.1:{told['users']}"
    await _try("no login", url)
    await _try("wrong password", url, user="alice", password="wrong")
    await _try("nobody", url, user="nobody", password="secret")
    bob, _ = await _try("bob", url, user="bob", password="builder")
    alice, errors = await _try("alice", url, user="alice", password="secret")
    heard = await alice.subscribe("open.>")
    await bob.subscribe("closed.>")
    await flushed(alice)
    await alice.publish("closed.x", b"1")
    await alice.subscribe("closed.x")
    await flushed(alice)
    await bob.publish("open.secret", b"2")
    await bob.publish("open.x", b"3")
    await flushed(bob)
    tell("alice heard", await _got(heard, 1))
    for _ in range(100):
        if len(errors) > 1:
            break
        await asyncio.sleep(0.05)
    tell("alice was told", sorted(map(str, errors)))
    await alice.close()
    await bob.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", told["users"])
    info = json.loads((await reader.readline())[5:])
    tell("auth_required", info.get("auth_required"))
    heard_raw = await asyncio.wait_for(reader.read(), 2 * _PATIENCE)
    tell("silence", heard_raw)
    writer.close()
    token = f"nats://127.0.0.1:{told['token']}"
    await _try("wrong token", token, token="wrong")
    client, _ = await _try("token", token, token="open sesame")
    await client.close()


async def tls(told: dict[str, Any]) -> None:
    """TLS after INFO, with and without a client's certificate."""
    trust = ssl.create_default_context(cafile=told["ca"])
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    url = f"tls://localhost:{told['tls']}"
    client, _ = await _try("tls", url, tls=trust)
    tell("tls_required", client._server_info.get("tls_required"))
    subscription = await client.subscribe("secure")
    await client.publish("secure", b"x" * 100_000)
    tell("over tls", len((await subscription.next_msg(timeout=_PATIENCE)).data))
    await client.close()
    mutual = f"tls://localhost:{told['mutual']}"
    anonymous, _ = await _try("anonymous", mutual, tls=trust)
    tell("nobody came in", anonymous is None)
    trust.load_cert_chain(told["client_certificate"])
    client, _ = await _try("certificate", mutual, tls=trust)
    await client.publish("x", b"")
    await flushed(client)
    await client.close()


SECTIONS: dict[str, Section] = {
    "raw": raw,
    "crowded": crowded,
    "messages": messages,
    "drain": drain,
    "reconnect": reconnect,
    "logins": logins,
    "tls": tls,
}


async def main() -> None:
    """Run the sections that are asked for."""
    told = json.loads(sys.argv[1])
    for name in told["sections"]:
        tell(f"== {name}")
        await SECTIONS[name](told)


if __name__ == "__main__":
    asyncio.run(main())
