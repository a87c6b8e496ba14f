"""The mount `pubsub`: browsers and curl on the same subjects as everybody else.

A page, server-sent events, publishing by POST, and NATS over WebSockets.
"""
