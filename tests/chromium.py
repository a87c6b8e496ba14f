"""A headless Chromium, told what to do by DevTools' protocol over its pipe; nothing is left behind.

Rule: whoever wants to see something on a page waits for it there, by `comes`; nothing is timed.
"""

import asyncio
import json
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

CHROMIUM = shutil.which("chromium") or ""
NO_CHROMIUM = None if CHROMIUM else "chromium is not installed"

# DevTools speaks on descriptors 3 and 4; here they are the process's own input and output.
_ON_PIPE = ("sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh")
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_MOST = 16 * 1024 * 1024  # bytes of one message, a picture included
_COMES = """new Promise((resolve) => {
  const look = () => (%s) && resolve(true);
  new MutationObserver(look).observe(
    document, {attributes: true, characterData: true, childList: true, subtree: true});
  look();
})"""


class Page:
    """One page of a browser."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._sink, self._source = process.stdin, process.stdout
        self._number = 0
        self._session: dict[str, str] = {}

    async def open(self, url: str) -> None:
        """Show what is at `url`, and wait until it is there."""
        target = await self.ask("Target.createTarget", url="about:blank")
        attached = await self.ask(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = {"sessionId": attached["sessionId"]}
        await self.ask("Page.enable")
        await self.ask("Page.navigate", url=url)
        await self._hears(lambda said: said.get("method") == "Page.loadEventFired")

    async def evaluate(self, script: str) -> Any:
        """Return what `script` is worth, or its promise."""
        found = await self.ask(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def comes(self, condition: str) -> None:
        """Wait until a condition in JavaScript holds, looked at whenever the page changes."""
        await self.evaluate(_COMES % condition)

    async def picture(self, width: int) -> bytes:
        """Return the whole page as a PNG, so many pixels wide."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        return b64decode(shot["data"])

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the result of one command of DevTools."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters, **self._session}
        self._sink.write(json.dumps(message).encode() + b"\0")
        answer = await self._hears(lambda said: said.get("id") == number)
        assert "error" not in answer, (method, answer)
        result: dict[str, Any] = answer["result"]
        return result

    async def _hears(self, wanted: Any) -> dict[str, Any]:
        while True:
            said: dict[str, Any] = json.loads((await self._source.readuntil(b"\0"))[:-1])
            if wanted(said):
                return said


@asynccontextmanager
async def chromium(folder: str, url: str) -> AsyncIterator[Page]:
    """Show `url` in a browser whose profile is `folder`, for as long as the block lasts."""
    command = (*_ON_PIPE, CHROMIUM, *_OPTIONS, f"--user-data-dir={folder}")
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_MOST
    )
    page = Page(process)
    try:
        await page.open(url)
        yield page
        await page.ask("Browser.close")
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
