"""Finger (RFC 1288): tells who the users are, and what each has to say.

`wire` has the bytes, `directory` the users as values, `answers` the texts; `users` and `plans` read
files; `service` brings them together, and `protocol` is one connection.
"""
