"""Tests of the web from the side of its visitors."""
