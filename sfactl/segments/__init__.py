"""Groups of leads by condition."""
