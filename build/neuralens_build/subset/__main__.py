"""Prints what is not portable in files and folders, by default the tracker; exits with 1 if so."""

import sys

from neuralens_build.javascript import portable_sources
from neuralens_build.subset.checking import check_files


def main(paths: list[str]) -> int:
    """Return the exit code for the given paths."""
    try:
        problems = check_files(paths or portable_sources())
    except OSError as error:
        sys.stderr.write(f"cannot read {error.filename}: {error.strerror}\n")
        return 2
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
