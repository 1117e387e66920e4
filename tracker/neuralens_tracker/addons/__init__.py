"""Add-ons: each module is built into a bundle of its own, loaded only by pages that use it."""
