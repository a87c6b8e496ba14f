"""What servers of HTTP are asked for: pages, and the files in which those that serve files find them."""

from collections.abc import Mapping

from attrs import field, frozen

FOLDER = "www"
"""Where the files are, below the folder in which a server is started."""


@frozen
class Page:
    """A path, and the whole text of the answer to it."""

    path: str
    content: str = field(repr=False)


def _many(number: int) -> Page:
    path = f"/many/{number:03}"
    return Page(path, f"{path}\n".ljust(1024, "k"))


HELLO = Page("/hello", "hello")
SMALL = Page("/1k", "k" * 1024)
MIDDLE = Page("/64k", "k" * 64 * 1024)
LARGE = Page("/1m", "k" * 1024 * 1024)
MANY = tuple(map(_many, range(1000)))

FILES: Mapping[str, str] = {
    FOLDER + page.path: page.content for page in (SMALL, MIDDLE, LARGE, *MANY)
}
