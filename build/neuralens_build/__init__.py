"""Turns the tracker, portable Python, into bundles for the browser. Needs Node."""
