"""Other people's clients of every sort on one subject: netcat, nats-py, curl, and a browser."""

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.chromium import NO_CHROMIUM, Page, chromium
from tests.running import PATIENCE, Running, netkit

_CONFIG = """
[service.pubsub]
listen = [
    { endpoint = "tcp:0:interface=127.0.0.1", protocol = "line" },
    { endpoint = "tcp:0:interface=127.0.0.1", protocol = "nats" },
]
[service.web]
kind = "site"
listen = "tcp:0:interface=127.0.0.1"
[[service.web.mount]]
path = "/live"
kind = "pubsub"
service = "pubsub"
"""
_NEEDED = [name for name in ("nc", "curl") if not shutil.which(name)]
_END = "that was all"


class _Program:
    """One `nc` or `curl`, and all that it has printed."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.heard = ""

    def say(self, line: str) -> None:
        """Type a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def hears(self, text: str) -> None:
        """Wait until `text` has been printed."""
        assert self._process.stdout is not None
        while text not in self.heard:
            data = await self._process.stdout.read(65_536)
            assert data, f"it has ended without {text!r}: {self.heard!r}"
            self.heard += data.decode()


@asynccontextmanager
async def _program(*command: str) -> AsyncIterator[_Program]:
    """Run a program for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        yield _Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class _Nats:
    """A nats-py that listens and talks."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._heard: list[str] = []
        self._more = asyncio.Event()

    @property
    def heard(self) -> str:
        """The payloads."""
        return "\n".join(self._heard)

    async def listen(self) -> None:
        """Subscribe, and wait until the server has done so."""
        await self._client.subscribe("lines", cb=self._take)
        await self._client.flush()
        await self._client.flush()  # its first overtakes what is buffered

    async def say(self, text: str) -> None:
        """Publish."""
        await self._client.publish("lines", text.encode())
        await self._client.flush()

    async def hears(self, text: str) -> None:
        """Wait until `text` has come."""
        while text not in self._heard:
            self._more.clear()
            await self._more.wait()

    async def _take(self, message: Any) -> None:
        self._heard.append(message.data.decode())
        self._more.set()


class _Browser:
    """A browser that shows the mount's page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.heard = ""

    async def listen(self) -> None:
        """Wait until the page is connected."""
        await self._page.comes("document.getElementById('state').textContent === 'live'")

    async def say(self, text: str) -> None:
        """Fill in the form and send it."""
        await self._page.evaluate(
            f"document.getElementById('text').value = '{text}';"
            "document.getElementById('say').requestSubmit()"
        )

    async def hears(self, text: str) -> None:
        """Wait until `text` is shown."""
        shown = "document.getElementById('messages').innerText"
        await self._page.comes(f"{shown}.includes('{text}')")
        self.heard = await self._page.evaluate(shown)


class EverybodyTests(SynchronousTestCase):
    """What each says, each hears once."""

    if _NEEDED:
        skip = f"not installed: {', '.join(_NEEDED)}"
    elif not find_spec("nats"):
        skip = "nats-py is not installed"

    def test_terminals(self) -> None:
        """Two netcats, a NATS client and curl hear each other, every message once."""
        self._meet()

    def test_browser(self) -> None:
        """So they do with a browser among them, which shows what all say and says something itself."""
        self._meet(profile=str(Path(self.mktemp()).absolute()))

    test_browser.skip = NO_CHROMIUM  # type: ignore[attr-defined]  # trial's way to skip one test

    def _meet(self, profile: str = "") -> None:
        with netkit(_CONFIG, self.mktemp()) as running:
            talk = asyncio.wait_for(self._talk(running, profile), 2 * PATIENCE)
            # In a thread of its own: this one's event loop belongs to Twisted's tests of reactors.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, talk).result()
            self.assertNotIn("Traceback", "\n".join(running.lines))

    async def _talk(self, running: Running, profile: str) -> None:
        import nats  # noqa: PLC0415 (the test is skipped where it is missing)

        lines, port = (str(each) for each in running.ports["pubsub"])
        live = f"http://127.0.0.1:{running.ports['web'][0]}/live"
        async with AsyncExitStack() as stack:
            client = await nats.connect(f"nats://127.0.0.1:{port}")
            stack.push_async_callback(client.close)
            talker = _Nats(client)
            await talker.listen()
            curl = await stack.enter_async_context(
                _program("curl", "-sN", f"{live}/events?subject=lines")
            )
            await curl.hears("retry: ")
            one, two = [
                await stack.enter_async_context(_program("nc", "127.0.0.1", lines))
                for _ in range(2)
            ]
            for each, name in ((one, "one"), (two, "two")):
                each.say(f"{name} is here")
                await each.hears(f"{name} is here")
            everybody: list[_Program | _Nats | _Browser] = [talker, curl, one, two]
            said = ["from one", "from two", "from nats", "from curl"]
            if profile:
                browser = _Browser(await stack.enter_async_context(chromium(profile, f"{live}/")))
                await browser.listen()
                everybody.append(browser)
                said.append("from the page")
                await browser.say("from the page")
            one.say("from one")
            two.say("from two")
            await talker.say("from nats")
            posted = ("-d", "from curl", "-w", "%{http_code}", f"{live}/publish/lines")
            post = await stack.enter_async_context(_program("curl", "-s", *posted))
            await post.hears("204")
            await self._heard_by_all(everybody, said, talker.say)

    async def _heard_by_all(
        self,
        everybody: "list[_Program | _Nats | _Browser]",
        said: list[str],
        say: Callable[[str], Awaitable[None]],
    ) -> None:
        for each in everybody:
            for text in said:
                await each.hears(text)
        await say(_END)  # behind whatever could come twice
        for each in everybody:
            await each.hears(_END)
            counts = [each.heard.count(text) for text in said]
            self.assertEqual(counts, [1] * len(said), type(each).__name__)
