"""A client of NATS servers: netkit's own, and any other."""
