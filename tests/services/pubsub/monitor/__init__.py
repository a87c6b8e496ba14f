"""The mount `monitor`."""
