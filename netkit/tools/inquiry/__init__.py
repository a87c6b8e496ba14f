"""Asking a finger server who somebody is (RFC 1288), from the client's side."""
