"""Figures about the code's structure and words: `python tools/figures.py [FOLDER]`, of this checkout or another.

It prints, for the layer, the functions and the command:

- how many public functions and classes have a docstring, and how many of those docstrings have a section
  `Args`, `Returns`, `Yields` or `Raises`;
- how many lines are comments, of those that are not blank;
- where code outside of a kind's own modules branches on the kind of a datasource;
- the modules that import the most others.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

KINDS = {"http", "file", "push", "sql", "mongo", "stream"}
OWN = ("sources/", "domain/datasource/", "domain/datasource.py")
SECTIONS = ("Args:", "Returns:", "Yields:", "Raises:")
MOST_SHOWN = 5
FOLDERS = ("layers/sluice/sluice", "functions", "cli/sluice_cli")


def modules(root: Path) -> Iterator[tuple[str, str]]:
    """The name and text of each module of the product."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            yield path.relative_to(root).as_posix(), path.read_text()


def docstrings(tree: ast.AST) -> Iterator[str]:
    """The docstrings of public functions and classes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            text = ast.get_docstring(node)
            if text:
                yield text


def imported(tree: ast.AST) -> set[str]:
    """The modules that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names - {"__future__"}


def kind_branches(tree: ast.AST) -> Iterator[int]:
    """The lines that compare something called kind with the name of a kind, or ask for a kind's class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            words = {side.value for side in sides if isinstance(side, ast.Constant)} | {
                item.value
                for side in sides
                if isinstance(side, ast.Tuple | ast.Set | ast.List)
                for item in side.elts
                if isinstance(item, ast.Constant)
            }
            if words & KINDS and any("kind" in ast.unparse(side).lower() for side in sides):
                yield node.lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            asked = ast.unparse(node.args[1])
            yield from [node.lineno] * any(f"{kind.capitalize()}Datasource" in asked for kind in KINDS)


def main(root: Path) -> None:
    """Print the figures of a checkout."""
    total = sectioned = comments = lines = 0
    branches: list[str] = []
    sizes: list[tuple[int, str]] = []
    for name, text in modules(root):
        tree = ast.parse(text)
        found = list(docstrings(tree))
        total += len(found)
        sectioned += sum(any(section in docstring for section in SECTIONS) for docstring in found)
        filled = [line.strip() for line in text.splitlines() if line.strip()]
        lines += len(filled)
        comments += sum(line.startswith("#") for line in filled)
        if not any(own in name for own in OWN):
            branches += [f"{name}:{line}" for line in kind_branches(tree)]
        sizes.append((len(imported(tree)), name))
    print(f"docstrings with a section: {sectioned} of {total} ({100 * sectioned / total:.0f} %)")
    print(f"comment lines: {comments} of {lines} ({100 * comments / lines:.1f} %)")
    print(f"branches on the kind of a datasource: {len(branches)}", *branches, sep="\n  ")
    print("modules that import the most:")
    for count, name in sorted(sizes, reverse=True)[:MOST_SHOWN]:
        print(f"  {count:3} {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
