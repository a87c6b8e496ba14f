"""How bytes reach a protocol: reactor, listeners, limits, TLS. Knows no service."""
