"""Reading the newest messages of a mailbox by IMAP (RFC 3501), for whoever asks by code."""
