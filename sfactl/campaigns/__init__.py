"""Campaigns: planned, approved, applied once."""
