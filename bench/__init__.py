"""Benchmarks: ``python -m bench [start|sizes|runtimes|relay] ...``.

Absolute times depend on the machine. Ratios within one run are comparable, because the subjects are
measured alternately.
"""
