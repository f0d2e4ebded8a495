"""The use cases of the portrait: tags, intents, facts, next actions and the timeline."""
