"""Scores that explain themselves."""
