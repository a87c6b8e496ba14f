"""netkit's tests, folder by folder as in `netkit/`."""
