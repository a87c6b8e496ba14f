"""Tests of the pub/sub service."""
