"""Tests of files as typed values."""
