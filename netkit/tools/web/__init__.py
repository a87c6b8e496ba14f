"""A user agent (RFC 9110 3.5): what the commands that speak HTTP have in common, and the rest use too."""
