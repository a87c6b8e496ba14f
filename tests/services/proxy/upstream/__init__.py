"""Tests of the mount `upstream`."""
