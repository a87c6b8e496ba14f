"""Which proxy a URL is asked for by, as the environment says it. Pure.

The variables are curl's: `http_proxy` (in lower case only: a web server hands a client's field
`Proxy` to a CGI program as HTTP_PROXY), `https_proxy`, `all_proxy` and `no_proxy`. Rule: a proxy that
is set and cannot be used is an error, never left out.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_network

from netkit.net.addresses import literal
from netkit.tools.web.fetching import FetchError, Proxying
from netkit.tools.web.urls import Url, parse


def proxy_for(url: Url, chosen: Url | Proxying, environment: Mapping[str, str]) -> Url | None:
    """Return the proxy by which to ask for `url`, or None; raise FetchError."""
    if isinstance(chosen, Url):
        return chosen
    if chosen is Proxying.NONE or is_excepted(url.host, _said("no_proxy", environment)):
        return None
    said = (
        environment.get("http_proxy", "")
        if url.scheme == "http"
        else _said("https_proxy", environment)
    )
    text = said or _said("all_proxy", environment)
    return proxy(text) if text else None


def proxy(text: str) -> Url:
    """Return the proxy that `text` names; raise FetchError."""
    try:
        return parse(text)
    except ValueError as error:
        raise FetchError(f"the proxy that is set is of no use: {error}") from None


def _said(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name) or environment.get(name.upper(), "")


def is_excepted(host: str, exceptions: str) -> bool:
    """Return whether `host` is one of those that no proxy is asked for: names, networks, or `*`."""
    return any(_is_meant(host, each) for each in re.split(r"[,\s]+", exceptions.strip()) if each)


def _is_meant(host: str, exception: str) -> bool:
    if exception == "*":
        return True
    address = literal(host)
    if address is not None:
        try:
            return address in ip_network(exception.strip("[]"), strict=False)
        except ValueError:
            return False
    name = exception.lower().strip(".")
    bare = host.removesuffix(".")
    return bare == name or bare.endswith(f".{name}")
