"""What the shopper sees and does, one kind of capture a module."""
