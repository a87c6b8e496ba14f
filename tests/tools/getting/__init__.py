"""Tests of netkit.tools.getting."""
