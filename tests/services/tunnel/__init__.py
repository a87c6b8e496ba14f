"""Tests of the service tunnel."""
