"""Refusing a client for the name that it asks for, with the alert that says so.

pyOpenSSL lets its callback choose a context but not an alert. Rule: what it keeps private is used
here and nowhere else: `_util.ffi`, `_util.lib`, and of a Context `_context` and
`_tlsext_servername_callback`, the place where pyOpenSSL itself keeps what must live as long.
"""

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from OpenSSL._util import ffi, lib

UNRECOGNIZED_NAME = 112  # the alert, RFC 6066 3

_REFUSED = 2  # SSL_TLSEXT_ERR_ALERT_FATAL


def refuse_names(context: SSL.Context, known: Callable[[bytes], bool]) -> None:
    """Have handshakes of `context` end with an alert where the name asked for is not `known`.

    A client that asks for none is let in; for one that is known the context's own callback decides
    as before. A session of TLS 1.2 that is resumed has the name that it began with.
    """
    held: Any = context
    before = held._tlsext_servername_callback  # noqa: SLF001 (as above)

    def called(connection: Any, alert: Any, argument: Any) -> int:  # noqa: ANN401 (C has no types)
        name = lib.SSL_get_servername(connection, lib.TLSEXT_NAMETYPE_host_name)
        if name != ffi.NULL and not known(ffi.string(name)):
            alert[0] = UNRECOGNIZED_NAME
            return _REFUSED
        answer: int = before(connection, alert, argument) if before else 0
        return answer

    signature = "int (*)(SSL *, int *, void *)"
    callback = ffi.callback(signature, called, error=_REFUSED)
    held._tlsext_servername_callback = callback  # noqa: SLF001 (as above)
    lib.SSL_CTX_set_tlsext_servername_callback(held._context, callback)  # noqa: SLF001 (as above)
