"""Tests of the bridge between standard input and output and a connection."""
