"""The mount `pubsub`."""
