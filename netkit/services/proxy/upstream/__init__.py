"""The mount `upstream`: a reverse proxy, by which a site shows what other servers answer."""
