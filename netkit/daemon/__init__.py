"""A plan becomes a daemon on a host."""
