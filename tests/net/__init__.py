"""Tests of how bytes reach a protocol."""
