"""Turns the tracker into bundles and snippets; the command line."""
