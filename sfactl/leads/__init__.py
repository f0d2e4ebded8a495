"""Leads: from a file or source to a clean, matched, qualified and converted lead."""
