"""What is known about one customer: tags, intents, facts, the next action and the whole history."""
