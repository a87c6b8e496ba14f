"""The forward proxy: HTTP and tunnels, for the clients and to the destinations that an operator allows."""

from netkit.services.proxy.service import KIND

__all__ = ["KIND"]
