"""A generated world to try sfactl on and to measure it with."""
