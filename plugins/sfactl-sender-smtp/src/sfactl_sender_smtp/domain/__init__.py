"""What a mail domain publishes in DNS, judged as a receiver of its mail would."""
