"""Products, prices and quotes."""
