"""A TOML file as typed values, and every mistake in it with its line.

The ground that the configuration and the services' own files (finger's users) stand on: `lines`
says where each key stands, `values` what a value may be, `typed` turns tables into values.
"""
