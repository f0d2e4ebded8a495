"""Opportunities through their stages."""
