"""Selling rules: who gets what, when and why, planned before it is applied."""
