"""Tests of reading mail by IMAP: the rules in memory, the whole against Dovecot."""
