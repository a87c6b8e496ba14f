"""Tests of the kinds of service."""
