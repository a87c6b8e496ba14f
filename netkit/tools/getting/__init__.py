"""Fetching to the standard output or to a file, as `netkit get` does it."""
