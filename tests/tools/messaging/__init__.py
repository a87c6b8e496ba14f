"""The client of NATS servers."""
