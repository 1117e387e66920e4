"""Benchmarks: ``python -m bench [NAME] ...``; ``--help`` lists the names.

Absolute times depend on the machine. Ratios within one run are comparable, because the subjects are
measured alternately.
"""
