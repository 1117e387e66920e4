"""Applies the compiler's checks and the rules to sources and files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from neuralens_build.subset.module import Library, Module
from neuralens_build.subset.rules import RULES
from neuralens_build.subset.whitelist import Whitelist

# Adapters are specific to their runtime, and need not be portable.
EXEMPT = "ffi_*.py"
# The rule name of the compiler's own errors.
LANGUAGE = "language"


@dataclass(frozen=True, order=True)
class Problem:
    """A construct that a rule refuses; line and column count from 1."""

    file: str
    line: int
    column: int
    rule: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}:{self.column}: "
            f"{self.reason}; write {self.remedy} [{self.rule}]"
        )


def check(
    source: str,
    filename: str,
    library: Library | None = None,
    outside: frozenset[str] = frozenset(),
) -> list[Problem]:
    """Return what the compiler or a rule refuses in a module, in source order.

    Imported tracker modules are searched next to ``filename``, then in the installed package.
    ``outside`` are names that are defined outside the module.
    """
    try:
        module = Module(source, filename, library or Library())
    except SyntaxError as error:
        where = (error.lineno or 1, error.offset or 1)
        return [Problem(filename, *where, "syntax", f"{error.msg}", "Python 3.11")]
    except RecursionError:
        return [nested_too_deeply(filename)]
    try:
        return find_problems(module, filename, outside)
    except RecursionError:
        return [nested_too_deeply(filename)]


def nested_too_deeply(filename: str) -> Problem:
    """Return the problem of a module for whose nesting Python's own stack is too small."""
    return Problem(
        filename,
        1,
        1,
        LANGUAGE,
        "an expression, or a chain of `elif`, is nested too deeply",
        "it in parts, or as a dict or a list",
    )


def find_problems(module: Module, filename: str, outside: frozenset[str]) -> list[Problem]:
    """Return what the compiler or a rule refuses in a module that is read, in source order."""
    problems = {
        Problem(
            filename,
            getattr(node, "lineno", 1),
            getattr(node, "col_offset", 0) + 1,
            rule.name,
            f"`{name}`: {rule.reason}" if name else rule.reason,
            rule.remedy,
        )
        for rule in RULES
        for node, name in rule.find(module)
    }
    problems |= {
        Problem(filename, error.line, error.column, LANGUAGE, error.reason, error.remedy)
        for error in Whitelist(module, outside).run()
    }
    return sorted(problems)


def check_files(paths: Iterable[str | Path]) -> list[Problem]:
    """Return what the compiler or a rule refuses in files, and in all modules below folders.

    Raises OSError for a path that cannot be read.
    """
    library = Library()
    problems: list[Problem] = []
    for path in map(Path, paths):
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            if not file.match(EXEMPT):
                problems += check(file.read_text("utf-8-sig"), str(file), library)
    return problems
