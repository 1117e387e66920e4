"""The add-ons: each module is a file of its own, loaded only by pages that ask for it."""
