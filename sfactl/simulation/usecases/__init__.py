"""What `sfactl strategy simulate` does."""
