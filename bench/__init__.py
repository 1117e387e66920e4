"""Measurements of what the project promises: ``python -m bench [start|sizes|runtimes|relay] ...``.

Milliseconds are this machine's. What lasts are the ratios within one run, for whose sake whatever
is compared is measured in turn, again and again, in one run.
"""
