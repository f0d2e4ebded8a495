"""The rules of the house that a machine can check: layers, sizes, names, docstrings, and what may not be in the tree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "sfactl").rglob("*.py"))
PLUGINS = sorted(p for p in ROOT.glob("plugins/*/src/**/*.py"))
TESTS = sorted([*(ROOT / "tests").rglob("*.py"), *ROOT.glob("plugins/*/tests/**/*.py")])


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path))


@pytest.mark.slow
def test_imports_run_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    command = (
        [str(lint)]
        if lint.exists()
        else [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    )
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_files_are_short() -> None:
    lines = {_name(p): _text(p).count("\n") for p in [*SOURCES, *PLUGINS]}
    assert {name: n for name, n in lines.items() if n > 500} == {}, "split it by subject"


def test_functions_are_short() -> None:
    long = [
        f"{_name(path)}: {node.name}: {length} lines"
        for path in [*SOURCES, *PLUGINS]
        for node in ast.walk(_tree(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (length := (node.end_lineno or 0) - node.lineno + 1 - _length_of_docstring(node)) > 50
    ]
    assert long == []


def _length_of_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0


def test_every_module_says_what_it_is_for() -> None:
    assert [_name(p) for p in [*SOURCES, *PLUGINS] if not ast.get_docstring(_tree(p))] == []


NO_NAMES = re.compile(r"^(utils?|helpers?|common|misc|base_.*|.*_service|.*_?managers?)$")


def test_files_are_named_after_nouns() -> None:
    assert [_name(p) for p in [*SOURCES, *PLUGINS] if NO_NAMES.match(p.stem) or NO_NAMES.match(p.parent.name)] == []


def _public(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)


DOCUMENTED = [
    p
    for p in SOURCES
    if {"api", "testkit"} & set(p.relative_to(ROOT).parts) or p.stem == "usecases" or p.parent.name == "usecases"
]


def test_what_is_public_is_documented() -> None:
    silent = [f"{_name(p)}: {n.name}" for p in DOCUMENTED for n in _public(_tree(p)) if not ast.get_docstring(n)]
    assert silent == []


def test_a_statement_says_what_one_row_is() -> None:
    """A comment on top of each file of SQL says what one row of the result is."""
    statements = sorted((ROOT / "sfactl").rglob("*.sql"))
    assert [_name(p) for p in statements if not _text(p).lstrip().startswith("--")] == []


def test_commands_import_the_rest_late() -> None:
    """Help must not pay for what only a command needs."""
    free = {"click", "__future__", *sys.stdlib_module_names}
    early = [
        f"{_name(path)}: {name}"
        for path in SOURCES
        if path.parent.name == "cli"
        for name in _imported_at_top(_tree(path))
        if name.split(".")[0] not in free and not name.startswith(("sfactl.cli", "sfactl.api.errors"))
    ]
    assert early == []


def _imported_at_top(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


FORBIDDEN = re.compile(
    r"(?<![\w.])/(?:work|root|home/[a-z]+|Users/[a-z]+)/"  # paths of somebody's machine
    r"|\bpypi\.org\b|\bfiles\.pythonhosted\b|--index-url|--extra-index-url"  # registries are the user's choice
    r"|\b(?:TODO|FIXME|XXX|HACK)\b"
    r"|\b(?:Claude|ChatGPT|Copilot|LLM-generated)\b",
)
TEXTS = sorted(
    p
    for p in ROOT.rglob("*")
    if p.is_file()
    and p.suffix in {".py", ".md", ".toml", ".sql", ".txt", ".yaml", ".yml", ".sh", ".html", ".j2", ".csv"}
    and not any(
        (part.startswith(".") and part != ".ci") or part in {"venv", "build", "dist", "demo"}
        for part in p.relative_to(ROOT).parts[:-1]
    )
    and p != Path(__file__)
)


def test_nothing_of_the_makers_is_left_in_the_tree() -> None:
    found = []
    for path in TEXTS:
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                found.append(f"{_name(path)}:{number}: {match[0]}")
    assert found == []


def test_core_opens_no_socket() -> None:
    """Only plugins go to the network, and they get their session from the host."""
    opens = re.compile(r"^\s*(?:import|from)\s+(?:requests|socket|http\.client|urllib\.request|smtplib|ftplib)\b", re.M)
    allowed = {"sfactl/host", "sfactl/testkit", "sfactl/api/http.py"}
    found = [_name(p) for p in SOURCES if opens.search(p.read_text(encoding="utf-8"))]
    assert [f for f in found if not any(f.startswith(a) for a in allowed)] == []


def test_declared_dependencies_are_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {re.split(r"[><=\[; ]", d)[0] for d in project["dependencies"]}
    modules = {
        "crawler-user-agents": "crawleruseragents",
        "email-validator": "email_validator",
        "python-calamine": "python_calamine",
        "python-dateutil": "dateutil",
        "python-stdnum": "stdnum",
        "tzdata": "zoneinfo",
    }
    text = "\n".join(p.read_text(encoding="utf-8") for p in SOURCES)
    used = [n for n in names if re.search(rf"\b(?:import|from)\s+{modules.get(n, n)}\b|\"{modules.get(n, n)}", text)]
    assert sorted(names - set(used)) == []
