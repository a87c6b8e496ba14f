"""The fabric: a node as an edge of a NATS cluster."""
