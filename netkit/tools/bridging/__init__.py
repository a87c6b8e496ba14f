"""A bridge between the standard input and output and a connection: netcat, for Python as well."""
