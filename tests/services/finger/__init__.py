"""Tests of finger."""
