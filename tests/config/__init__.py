"""Tests of how a file becomes a plan."""
