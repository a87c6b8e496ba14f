"""Tests of what a site can show by itself."""
