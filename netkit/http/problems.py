"""Why there is no connection, in the words of those who asked."""

from netkit.http.asking import AskError, Problem
from netkit.net.failures import (
    CertificateError,
    ForbiddenError,
    NoConnectionError,
    RefusedError,
    TimedOutError,
    TlsError,
    UnreachableError,
    UnresolvedError,
)

_PROBLEMS: tuple[tuple[type[NoConnectionError], Problem], ...] = (
    (ForbiddenError, Problem.DESTINATION_IP_PROHIBITED),
    (UnresolvedError, Problem.DNS_ERROR),
    (TimedOutError, Problem.CONNECTION_TIMEOUT),
    (RefusedError, Problem.CONNECTION_REFUSED),
    (UnreachableError, Problem.DESTINATION_IP_UNROUTABLE),
    (CertificateError, Problem.TLS_CERTIFICATE_ERROR),
    (TlsError, Problem.TLS_PROTOCOL_ERROR),
    (NoConnectionError, Problem.DESTINATION_UNAVAILABLE),
)
"""The first that fits counts."""


def not_connected(error: NoConnectionError) -> AskError:
    """Return what `error` means for a question, of which the server has seen nothing."""
    problem = next(problem for sort, problem in _PROBLEMS if isinstance(error, sort))
    asked = AskError(problem, str(error), untouched=True)
    asked.__cause__ = error
    return asked
