"""The NATS core protocol (docs.nats.io, "Client Protocol"), for the server's and the client's side.

Seven verbs of text each way. Everything in this folder is pure: bytes become values and values
bytes; who is connected, and who may do what, is known elsewhere.
"""
