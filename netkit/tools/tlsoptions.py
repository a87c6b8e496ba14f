"""Whom the commands take for a server: options, and what they come to."""

from pathlib import Path

import click
from cryptography import x509

from netkit.net.tlsclient import HANDSHAKE_TIMEOUT, TlsTerms, trusted
from netkit.tools.outcome import TroubleError

cacert = click.option(
    "--cacert",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Trust the authorities, or servers, of this PEM file or folder and nobody else.",
)
insecure = click.option("--insecure", is_flag=True, help="Take anybody for the server.")


def tls_terms(
    cacert: Path | None, *, insecure: bool, handshake_timeout: float = HANDSHAKE_TIMEOUT
) -> TlsTerms:
    """Return what the options say; TroubleError: there is something wrong with the file."""
    found = () if cacert is None else _authorities(cacert)
    return TlsTerms(found, verify=not insecure, handshake_timeout=handshake_timeout)


def _authorities(path: Path) -> tuple[x509.Certificate, ...]:
    found = trusted(path)
    for fault in found.faults:
        raise TroubleError(f"{fault.file}: {fault.text}")
    return found.certificates
