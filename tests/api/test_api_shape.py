"""The public API stands alone, costs nothing to import, and names one hook and one protocol for every kind of offer."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from sfactl.api import hooks, protocols
from sfactl.api.offers import OFFER_TYPES
from sfactl.host.loading import OFFER_HOOKS
from sfactl.host.target import PROTOCOLS

API = Path(hooks.__file__).parent


@pytest.mark.parametrize("file", sorted(API.glob("*.py")), ids=lambda path: path.stem)
def test_it_imports_nothing_else_of_sfactl(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert [n for n in names if n.split(".")[0] == "sfactl" and not n.startswith("sfactl.api")] == []


def test_importing_all_of_it_is_light() -> None:
    modules = ", ".join(f"sfactl.api.{path.stem}" for path in API.glob("*.py") if path.stem != "__init__")
    heavy = "('pyarrow', 'requests', 'duckdb', 'numpy', 'jinja2')"
    code = f"import sys, {modules}; print(*[m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_kind_has_one_hook_and_a_protocol() -> None:
    assert set(OFFER_HOOKS) == set(OFFER_TYPES)
    assert len(set(OFFER_HOOKS.values())) == len(OFFER_TYPES)
    assert set(PROTOCOLS) == set(OFFER_TYPES) - {"command"}


def test_all_that_is_public_says_what_it_does() -> None:
    for spec in (hooks.Offers, hooks.Notices):
        assert [n for n, hook in vars(spec).items() if n.startswith("sfactl_") and not hook.__doc__] == []
    for name, protocol in inspect.getmembers(protocols, inspect.isclass):
        if protocol.__module__ == protocols.__name__:
            parts = [n for n, part in vars(protocol).items() if not n.startswith("_") and not part.__doc__]
            assert protocol.__doc__, name
            assert parts == [], name
