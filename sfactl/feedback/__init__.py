"""What came back: bounces, complaints and answers of machines to what was sent."""
