"""Tests of the commands that work beside the daemon."""
