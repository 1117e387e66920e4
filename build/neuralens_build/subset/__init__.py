"""The portability check: what a tracker module must not say, as engines differ on it.

The same source runs on CPython, through pscript as JavaScript, on Brython and on MicroPython. Each
rule refuses what means something else, or nothing, on one of them, and says how to write it. As far
as a rule depends on types it knows those of literals, annotations and what is assigned from them.

From the command line: ``python -m neuralens_build.subset PATH...``.
"""

from neuralens_build.subset.checking import Problem, check, check_files
from neuralens_build.subset.rules import RULES
from neuralens_build.subset.stripping import strip

__all__ = ["RULES", "Problem", "check", "check_files", "strip"]
