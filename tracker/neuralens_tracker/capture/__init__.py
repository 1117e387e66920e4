"""Captures what the shopper sees and does: one kind of event source per module."""
