"""Commands that work beside the daemon: one file a command."""
