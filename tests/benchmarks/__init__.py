"""Tests of the benchmarks' pure parts; nothing is timed here."""
