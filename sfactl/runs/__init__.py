"""What is due, done once: schedules, the lock of the one runner, and the record of every run."""
