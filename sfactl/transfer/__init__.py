"""Bring rules from one workspace to another: as an archive of what a rule needs, or as a patch of what differs."""
