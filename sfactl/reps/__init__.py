"""People who sell, and what they own."""
