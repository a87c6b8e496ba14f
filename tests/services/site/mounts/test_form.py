"""The mount `form` (row 8 of where netkit comes from)."""

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.forms import FORM_BYTES, FORM_FIELDS
from netkit.http.messages import BodyTooLargeError, Response
from netkit.services.site.mounts.form import answer
from tests.http.fakes import asked, content, field

URLENCODED = b"application/x-www-form-urlencoded"
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


class Tags(HTMLParser):
    """Notes every tag of a page, as a browser would see them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append((tag, dict(attrs)))


class Form(SynchronousTestCase):
    def got(self, path: str = "/", method: bytes = b"GET", base: str = "/form") -> Response:
        """Return the answer to a request without a body."""
        return self.successResultOf(Deferred.fromCoroutine(answer(asked(path, method, base=base))))

    def posted(self, body: bytes, kind: bytes = URLENCODED) -> Response:
        """Return the answer to a posted form."""
        request = asked(
            "/posthandler", b"POST", base="/form", headers=((b"Content-Type", kind),), body=body
        )
        return self.successResultOf(Deferred.fromCoroutine(answer(request)))

    def test_the_form(self) -> None:
        """The page asks for a name, a colour and flavours, and posts to posthandler."""
        tags = Tags(content(self.got())).tags
        inputs = [(a["type"], a["name"], a.get("value")) for tag, a in tags if tag == "input"]
        self.assertEqual(
            inputs,
            [
                ("text", "name", None),
                *(("radio", "color", value) for value in ("red", "blue", "green")),
                *(
                    ("checkbox", "flavor", value)
                    for value in ("vanilla", "chocolate", "strawberry", "coffee")
                ),
            ],
        )
        [form] = [a for tag, a in tags if tag == "form"]
        self.assertEqual(form, {"method": "post", "action": "/form/posthandler"})

    def test_at_the_root(self) -> None:
        """Mounted at the root, the form posts to /posthandler."""
        self.assertIn(b'action="/posthandler"', content(self.got(base="")))

    def test_listing(self) -> None:
        """Every field is listed with all its values, in order."""
        page = content(self.posted(b"name=Ann&flavor=vanilla&color=red&flavor=coffee"))
        self.assertIn(
            b"<dt>name</dt><dd>Ann</dd>\n"
            b"<dt>flavor</dt><dd>vanilla</dd><dd>coffee</dd>\n"
            b"<dt>color</dt><dd>red</dd>",
            page,
        )

    def test_with_files(self) -> None:
        """A form that has files in it is listed as well, what is no text with marks in its place."""
        body = (
            b'--xyz\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n'
            b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n<\xff\r\n'
            b"--xyz--\r\n"
        )
        page = content(self.posted(body, b"multipart/form-data; boundary=xyz"))
        self.assertIn("<dt>name</dt><dd>Ann</dd>\n<dt>file</dt><dd>&lt;\ufffd</dd>".encode(), page)
        self.assertEqual(self.posted(body, b"multipart/form-data").status, 415)
        self.assertEqual(self.posted(body[:-9], b"multipart/form-data; boundary=xyz").status, 415)

    def test_nothing_filled_in(self) -> None:
        """An empty form is said to be empty."""
        self.assertIn(b"left everything empty", content(self.posted(b"")))

    def test_scripts_are_text(self) -> None:
        """Tags and quotes in names and values are text."""
        attack = "\"'><script>alert(1)</script>"
        page = content(self.posted(urlencode({attack: attack}).encode()))
        self.assertNotIn(b"<script", page)
        self.assertNotIn("script", [tag for tag, _ in Tags(page).tags])
        self.assertEqual(page.count(b"&lt;script&gt;alert(1)&lt;/script&gt;"), 2)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5))
    def test_any_text(self, form: list[tuple[str, str]]) -> None:
        """Whatever is filled in, the page's tags are the page's own, and every value is in it."""
        page = content(self.posted(urlencode(form).encode()))
        known = {"html", "head", "meta", "title", "link", "style", "body", "h1", "p", "a"}
        self.assertLessEqual({tag for tag, _ in Tags(page).tags}, known | {"dl", "dt", "dd"})
        values = [unescape(v) for v in re.findall("<dd>(.*?)</dd>", page.decode(), re.DOTALL)]
        self.assertEqual(sorted(values), sorted(value for _, value in form))

    def test_paths(self) -> None:
        """The mount without its slash redirects to it; other paths are nothing."""
        response = self.got("")
        self.assertEqual((response.status, field(response, b"Location")), (301, b"/form/"))
        self.assertEqual(self.got("/other").status, 404)

    def test_methods(self) -> None:
        """The form is read and posthandler is posted to."""
        response = self.got("/posthandler")
        self.assertEqual((response.status, field(response, b"Allow")), (405, b"POST"))
        self.assertEqual(self.got("/", b"POST").status, 405)

    def test_other_types(self) -> None:
        """A form of another type is refused with the type that is wanted."""
        response = self.posted(b"{}", b"application/json")
        self.assertEqual(response.status, 415)
        self.assertIn(b"application/x-www-form-urlencoded", content(response))

    def test_limits(self) -> None:
        """A form of too many fields or bytes is refused."""
        self.assertEqual(self.posted(b"a&" * FORM_FIELDS).status, 413)
        request = asked("/posthandler", b"POST", body=bytes(FORM_BYTES + 1))
        self.failureResultOf(Deferred.fromCoroutine(answer(request)), BodyTooLargeError)
