"""Tests that users write for their own rules, as TOML, and what those tests leave unproven."""
