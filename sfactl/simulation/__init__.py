"""Strategies lived through on recorded history under a virtual clock; nothing leaves the machine."""
