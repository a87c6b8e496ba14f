"""The fabric: this node as an edge of a NATS cluster, of which it is a client."""
