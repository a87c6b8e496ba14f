"""What peers do to harm, done to a netkit of its own process."""
