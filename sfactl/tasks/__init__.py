"""Work for people: who has to do what until when, given out in batches, and what came of it."""
