"""Tests of how a plan becomes a daemon."""
