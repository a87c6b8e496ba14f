"""Tests of what netkit serves."""
