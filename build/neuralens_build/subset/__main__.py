"""Prints what is not portable in files or folders; exits with 1 if there is anything."""

import sys

from neuralens_build.subset.checking import check_files


def main(paths: list[str]) -> int:
    """Return the exit code for the given paths."""
    if not paths:
        sys.stderr.write("usage: python -m neuralens_build.subset PATH...\n")
        return 2
    try:
        problems = check_files(paths)
    except OSError as error:
        sys.stderr.write(f"cannot read {error.filename}: {error.strerror}\n")
        return 2
    for problem in problems:
        sys.stdout.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
