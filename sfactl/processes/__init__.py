"""The ways of the house: which steps a customer's case should take, and which it took."""
