"""The command line: one file a group, imports only click at the top."""
