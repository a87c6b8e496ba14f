"""What is asked of every test."""

import ast
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

TESTS = Path(__file__).parent


def _silent() -> Iterator[str]:
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if node.name.startswith("test_") and not ast.get_docstring(node):
                yield f"{path.relative_to(TESTS)}:{node.lineno}: {node.name}"


class StyleTests(SynchronousTestCase):
    def test_docstrings(self) -> None:
        """Every test says in a docstring what must be so."""
        self.assertEqual(list(_silent()), [])
