"""Intent extractors that need nothing from outside."""
