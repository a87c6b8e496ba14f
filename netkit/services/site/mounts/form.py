"""The mount `form`: a page with a form, and `posthandler`, which lists what was filled in."""

from http import HTTPStatus

from attrs import frozen

from netkit.http.fields import item
from netkit.http.forms import (
    FORM_BYTES,
    FORM_FIELDS,
    Fields,
    FormTooLargeError,
    NotAFormError,
    fields,
    grouped,
)
from netkit.http.messages import Handler, Request, Response
from netkit.http.multipart import parts
from netkit.http.pages import (
    READING,
    Html,
    error_page,
    html,
    link,
    method_not_allowed,
    page,
    redirect,
)
from netkit.services.kind import MountKind, World

COLORS = ("red", "blue", "green")
FLAVORS = ("vanilla", "chocolate", "strawberry", "coffee")


@frozen
class Settings:
    """A form has no settings."""


async def answer(request: Request) -> Response:
    """Return the form at `/`, and what was posted at `/posthandler`."""
    if request.path == "/posthandler":
        return await _posted(request)
    if request.path not in {"", "/"}:
        return error_page(HTTPStatus.NOT_FOUND)
    if request.method not in READING:
        return method_not_allowed(*READING)
    if not request.path:
        return redirect(request.base + "/", request.query)
    return _form(request.base)


async def _posted(request: Request) -> Response:
    if request.method != b"POST":
        return method_not_allowed(b"POST")
    body = await request.body.read(FORM_BYTES)
    try:
        return _listing(request.base, _filled_in(body, request.header(b"content-type") or b""))
    except NotAFormError as error:
        return error_page(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{error}.".capitalize())
    except FormTooLargeError:
        return error_page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def _filled_in(body: bytes, content_type: bytes) -> Fields:
    """Return the fields of a form of either kind, the files in it as texts."""
    if item(content_type).value != b"multipart/form-data":
        return fields(body, content_type)
    found = parts(body, content_type, at_most=FORM_FIELDS)
    return tuple((_text(name), _text(content)) for name, content in found)


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")


def _form(base: str) -> Response:
    radios = Html("\n").join(_choice("radio", "color", value) for value in COLORS)
    boxes = Html("\n").join(_choice("checkbox", "flavor", value) for value in FLAVORS)
    action = link(base) + "/posthandler"
    body = html(_FORM, action=action, colors=Html(radios), flavors=Html(boxes))
    return page("A form", body)


def _choice(kind: str, name: str, value: str) -> Html:
    return html(
        '<label><input type="{kind}" name="{name}" value="{value}"> {value}</label>',
        kind=kind,
        name=name,
        value=value,
    )


def _listing(base: str, form: Fields) -> Response:
    entries = "\n".join(_entry(name, values) for name, values in grouped(form).items())
    found = html("<dl>\n{entries}\n</dl>", entries=Html(entries)) if form else Html(_NOTHING)
    body = html(_LISTING, found=found, back=link(base) + "/")
    return page("What you filled in", body)


def _entry(name: str, values: tuple[str, ...]) -> Html:
    described = "".join(html("<dd>{value}</dd>", value=value) for value in values)
    return html("<dt>{name}</dt>{values}", name=name, values=Html(described))


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return the mount."""
    return answer


KIND = MountKind(name="form", settings=Settings, build=build)

_NOTHING = '<p class="quiet">You left everything empty.</p>'

_FORM = """<h1>Tell us about yourself</h1>
<p class="quiet">Nothing of this is kept: the answer shows it to you and forgets it.</p>
<form method="post" action="{action}">
<fieldset><legend>Your name</legend>
<input type="text" name="name" aria-label="Your name" autocomplete="name"></fieldset>
<fieldset><legend>Favourite colour</legend>
{colors}</fieldset>
<fieldset><legend>Ice cream you like</legend>
{flavors}</fieldset>
<button type="submit">Send</button>
</form>"""

_LISTING = """<h1>What you filled in</h1>
{found}
<p><a href="{back}">Fill it in again</a></p>"""
