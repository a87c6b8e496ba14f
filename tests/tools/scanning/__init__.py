"""Tests of what finds open ports."""
