"""A file becomes a plan. Opens no socket, reads no key."""
