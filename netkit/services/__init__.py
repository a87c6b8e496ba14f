"""What netkit serves: one folder a kind, and one line a kind in the table `kinds`.

Rule: whoever imports one service, or its wire format, loads no other.
"""
