"""Segments of dots in the path of a URL (RFC 3986 5.2.4). Pure."""


def without_dots(path: str) -> str:
    """Return `path`, from a slash on whether it has one or not, without its dot segments."""
    segments = path.removeprefix("/").split("/")
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
