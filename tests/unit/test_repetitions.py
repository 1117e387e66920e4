"""Which browser tests are repeated on the heavy runtimes and in other browsers."""

import subprocess
import sys
from collections import Counter

from neuralens_build.checkout import CHECKOUT


def test_one_case_is_repeated_with_its_first_case():
    listed = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "--quiet"),
            *("-m", "nightly or not nightly", "tests/browser/test_settings.py"),
            *("-k", "test_misspelled_consent_is_pending and attributes"),
        ],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cases = [line for line in listed.splitlines() if "::" in line]
    runtimes = ("javascript", "brython", "pyscript")
    counts = Counter(runtime for runtime in runtimes for case in cases if f"-{runtime}-" in case)
    assert counts["javascript"] > 1
    assert (counts["brython"], counts["pyscript"]) == (1, 1)
