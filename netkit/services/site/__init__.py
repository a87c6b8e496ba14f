"""The web site: mounts, each below a path of its own, on one HTTP server."""

from netkit.services.site.service import KIND

__all__ = ["KIND"]
