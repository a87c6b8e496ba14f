"""The interim forward proxy: plain HTTP in absolute-form, for clients of given networks."""

from netkit.services.proxy.service import KIND

__all__ = ["KIND"]
