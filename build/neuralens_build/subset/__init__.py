"""The portability check: what a tracker module must not say, as engines differ on it.

The same source runs on CPython, compiled to JavaScript, on Brython and on MicroPython. What the
compiler does not know is refused (``whitelist``), and so is what means something else on one of the
engines (``rules``). As far as a rule depends on types it knows those of literals, annotations and
what is assigned from them.

From the command line: ``python -m neuralens_build.subset PATH...``.
"""

from neuralens_build.subset.checking import Problem, check, check_files
from neuralens_build.subset.rules import RULES
from neuralens_build.subset.stripping import strip

__all__ = ["RULES", "Problem", "check", "check_files", "strip"]
