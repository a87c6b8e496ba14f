"""A folder as a page and as JSON."""

import json
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Request, Response
from netkit.services.site.mounts.static.folder import Entry, Page
from netkit.services.site.mounts.static.listing import as_asked, page_number
from tests.http.fakes import asked, content, field

TIME = 1_000_000_000
ENTRIES = (Entry("sub", True, 0, TIME), Entry("a & b.txt", False, 1_234_567, TIME))
ONE = Page(ENTRIES, 1, 1, complete=True)


class Links(HTMLParser):
    """Collects the targets of links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        self.tags.append(tag)
        self.found += [value or "" for name, value in attrs if (tag, name) == ("a", "href")]


def links(response: Response) -> list[str]:
    """Return the targets of the links of a page."""
    parser = Links()
    parser.feed(content(response).decode())
    return parser.found


def request(query: str = "", accept: str | None = None, base: str = "/m") -> Request:
    """Return a request for a listing."""
    headers = () if accept is None else ((b"Accept", accept.encode()),)
    return asked("/x/", base=base, target=b"/m/x/?" + query.encode(), headers=headers)


class Forms(SynchronousTestCase):
    def test_html(self) -> None:
        """The page has a line an entry, with links below the mount, sizes and times."""
        response = as_asked(ONE, request())
        self.assertEqual(links(response), ["/m/", "/m/x/sub/", "/m/x/a%20&%20b.txt"])
        body = content(response).decode()
        self.assertIn(">a &amp; b.txt</a></td><td>1.2 MB</td><td>2001-09-09 01:46</td>", body)
        self.assertIn("<h1>/m/x/</h1>", body)
        self.assertEqual(field(response, b"Vary"), b"Accept")

    def test_json(self) -> None:
        """The same for programs."""
        response = as_asked(ONE, request("format=json"))
        self.assertEqual(field(response, b"Content-Type"), b"application/json")
        self.assertEqual(field(response, b"X-Content-Type-Options"), b"nosniff")
        stamp = "2001-09-09T01:46:40Z"
        self.assertEqual(
            json.loads(content(response)),
            {
                "path": "/m/x/",
                "page": 1,
                "pages": 1,
                "complete": True,
                "entries": [
                    {"name": "sub", "type": "folder", "modified": stamp},
                    {"name": "a & b.txt", "type": "file", "size": 1234567, "modified": stamp},
                ],
            },
        )

    def test_choice(self) -> None:
        """The query decides, then Accept; a browser gets a page."""
        for query, accept, is_json in (
            ("", None, False),
            ("", "*/*", False),
            ("", "text/html,application/xhtml+xml,*/*;q=0.8", False),
            ("", "application/json", True),
            ("", "application/json;q=0.9, text/html;q=0.8", True),
            ("", "application/json;q=0.8, text/html", False),
            ("", "application/json;q=0", False),
            ("format=html", "application/json", False),
            ("page=1&format=json", "text/html", True),
            ("format=x", None, False),
        ):
            response = as_asked(ONE, request(query, accept))
            kind = field(response, b"Content-Type") or b""
            self.assertIs(kind == b"application/json", is_json, (query, accept))

    def test_page_number(self) -> None:
        """The page is the query's, where that is a number one can count to."""
        for query, number in (
            ("", 1),
            ("page=7", 7),
            ("page=x", 1),
            ("page=-1", 1),
            ("page=%D9%A1", 1),
            ("page=" + "9" * 5000, 1),
            ("page=2&page=3", 3),
            ("%zz=&&=;page", 1),
        ):
            self.assertEqual(page_number(request(query)), number)

    def test_root(self) -> None:
        """There is no way up from the top of the site."""
        above = as_asked(ONE, asked("/", target=b"/"))
        self.assertEqual(links(above), ["/sub/", "/a%20&%20b.txt"])

    def test_notes(self) -> None:
        """The page says where the other pages are, that it is empty, and that there is more."""
        page = as_asked(Page(ENTRIES, 2, 3, complete=False), request())
        self.assertEqual(links(page)[-2:], ["?page=1", "?page=3"])
        self.assertIn(b"Page 2 of 3", content(page))
        self.assertIn(b"more here than is listed", content(page))
        self.assertIn(b"Nothing is shown", content(as_asked(Page((), 1, 1, True), request())))

    def test_sizes(self) -> None:
        """Sizes are short, and never of four digits."""
        for size, text in (
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (9_949, "9.9 kB"),
            (9_990, "10 kB"),
            (999_499, "999 kB"),
            (999_999, "1.0 MB"),
            (2**63 - 1, "9.2 EB"),
        ):
            page = as_asked(Page((Entry("x", False, size, TIME),), 1, 1, True), request())
            self.assertIn(f"<td>{text}</td>".encode(), content(page))

    def test_odd_times(self) -> None:
        """A time outside of what can be written is as near as there is."""
        page = Page((Entry("x", False, 0, -5), Entry("y", False, 0, 2**60)), 1, 1, complete=True)
        self.assertIn(b"9999-12-31 23:59", content(as_asked(page, request())))

    @settings(deadline=None, max_examples=200)
    @given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
    def test_any_name(self, name: str) -> None:
        """Whatever the name, it makes no markup, its link leads below the folder and to it."""
        page = Page((Entry(name, False, 1, TIME),), 1, 1, complete=True)
        response = as_asked(page, request(base=""))
        parser = Links()
        parser.feed(content(response).decode())
        self.assertEqual(parser.tags.count("a"), 2)
        self.assertFalse({"script", "img", "b"} & set(parser.tags))
        target = urlsplit(parser.found[-1])
        self.assertEqual((target.scheme, target.netloc, target.query), ("", "", ""))
        self.assertEqual(unquote(target.path), "/x/" + name)
        self.assertEqual(
            json.loads(content(as_asked(page, request("format=json"))))["entries"][0]["name"], name
        )
