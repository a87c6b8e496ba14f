"""HTTP, once, for whatever speaks it. Knows no site, no mount and no service."""
