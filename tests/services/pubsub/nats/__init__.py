"""The NATS core protocol: what is read and what is written."""
