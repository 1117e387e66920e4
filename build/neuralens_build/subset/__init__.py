"""The portability check: reports constructs on which the engines differ.

The same source runs on CPython, compiled to JavaScript, on Brython and on MicroPython. Constructs
that the compiler does not support are refused (``whitelist``), and so are those that behave
differently on one of the engines (``rules``). Rules that depend on types infer them from literals,
annotations and assignments.

From the command line: ``python -m neuralens_build.subset PATH...``.
"""

from neuralens_build.subset.checking import Problem, check, check_files
from neuralens_build.subset.rules import RULES
from neuralens_build.subset.stripping import strip

__all__ = ["RULES", "Problem", "check", "check_files", "strip"]
