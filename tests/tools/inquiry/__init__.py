"""Tests of asking finger servers."""
