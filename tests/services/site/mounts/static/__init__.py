"""Tests of the mount `static`."""
