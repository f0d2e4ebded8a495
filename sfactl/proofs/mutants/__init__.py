"""Small mistakes that are planted into rules, to see whether a test notices them. Pure: files become other files."""
