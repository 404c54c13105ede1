"""The house: who may import what, how large a piece may grow, and what no file may say."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from workflow.model import Dossier

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGES: Final = ("workflow", "consumers", "processes", "servers")
SHELLS: Final = ("workflow/cli/", "workflow/audit/", "workflow/store/", "workflow/locale/")
NOT_CORE: Final = ("workflow/i18n.py", "workflow/settings.py", "workflow/log.py", "workflow/masking.py")
"""They read the environment or the disk for the shells; nothing in the core imports them."""

CORE_FOLDERS: Final = tuple(
    f"workflow/{name}/" for name in ("procedure", "clocks", "alerts", "risk", "figures", "rotation")
)

LINES_OF_FUNCTION: Final = 70
NESTING: Final = 3
LINES_OF_MODULE: Final = 400

DOORS: Final = {
    "transitions": ("workflow/machine.py",),
    "yaml": ("workflow/yamltree.py",),
    "lxml": ("consumers/files/",),
    "python_calamine": ("consumers/files/workbook.py",),
    "click": ("workflow/cli/",),
    "rich": ("workflow/cli/",),
    "babel": ("workflow/locale/",),
    "sqlalchemy": ("workflow/store/",),
    "kafka": ("consumers/kafka.py", "consumers/kafkaclient.py", "consumers/kafkareader.py"),
    "structlog": ("workflow/log.py",),
    "logging": ("workflow/log.py",),
    "prometheus_client": ("consumers/metrics.py",),
    "http.server": ("consumers/health.py",),
    "http.client": ("consumers/channels/webhook.py",),
    "smtplib": ("consumers/channels/mail.py",),
    "email": ("consumers/channels/mail.py",),
}
"""Each outside library and the only files that may import it."""

DIRECTION: Final = {
    "workflow/procedure/": (
        "consumers",
        "workflow.cli",
        "workflow.store",
        "workflow.audit",
        "workflow.monitor",
    ),
    "workflow/audit/": ("consumers", "workflow.cli", "workflow.monitor"),
    "workflow/store/": ("consumers", "workflow.cli", "workflow.audit", "workflow.monitor"),
    "consumers/": ("workflow.cli", "workflow.monitor"),
}
"""What the files of a folder may not import; the core's own files follow the first line."""

HANDS_ON_DOSSIERS: Final = (
    "workflow/rules.py",
    "workflow/fold.py",
    "workflow/machine.py",
    "workflow/effects.py",
    "workflow/opening.py",
    "workflow/plan.py",
    "workflow/situations.py",
    "workflow/cli/deadline.py",
)
"""The rules make the blank dossier, the fold, its parts and what is learned from it work on their own private copy, and
the command `deadline` fills a blank one of its own; all others get a value."""

CLOCKS: Final = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}
"""Methods of datetime, date and time that read a clock."""

SAID_NOWHERE: Final = [
    *(rf"(?<![\w.~$-])/{folder}/[a-z]" for folder in ("wo" + "rk", "ho" + "me", "ro" + "ot", "Us" + "ers")),
    *(
        "py" + "pi.org",
        "python" + "hosted",
        "npm" + "js",
        "crates" + r"\.io",
        "proxy.go" + "lang",
        "maven" + ".org",
    ),
]
"""Paths of one machine, and hosts of package registries: what works here must work anywhere."""


class Source(NamedTuple):
    """A Python file of the product."""

    path: str
    text: str
    tree: ast.Module


def _sources() -> list[Source]:
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            found.append(Source(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return found


SOURCES: Final = _sources()


def _core() -> Iterator[Source]:
    for source in SOURCES:
        in_folder = source.path.startswith(CORE_FOLDERS)
        flat = source.path.count("/") == 1 and source.path.startswith("workflow/")
        if in_folder or (flat and source.path not in NOT_CORE):
            yield source


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def test_there_are_sources_to_look_at() -> None:
    assert len(SOURCES) > 20
    assert len(list(_core())) > 10


def test_every_library_has_one_door() -> None:
    found = [
        f"{source.path}:{line} imports {module}"
        for source in SOURCES
        for line, module in _imports(source.tree)
        for library, doors in DOORS.items()
        if _within(module, library) and not source.path.startswith(doors)
    ]
    assert not found, "\n".join(found)


def test_imports_go_one_way() -> None:
    core = {source.path for source in _core()}
    found = []
    for source in SOURCES:
        folder = "workflow/procedure/" if source.path in core else source.path
        barred = next((barred for start, barred in DIRECTION.items() if folder.startswith(start)), ())
        found += [
            f"{source.path}:{line} imports {module}"
            for line, module in _imports(source.tree)
            if any(_within(module, package) for package in barred)
        ]
    assert not found, "\n".join(found)


def test_the_core_imports_no_shell_of_its_own() -> None:
    barred = [path.removesuffix(".py").replace("/", ".") for path in NOT_CORE]
    found = [
        f"{source.path}:{line} imports {module}"
        for source in _core()
        for line, module in _imports(source.tree)
        if any(_within(module, one) for one in barred)
    ]
    assert not found, "\n".join(found)


def test_the_core_reads_no_clock() -> None:
    found = [
        f"{source.path}:{node.lineno} reads a clock"
        for source in _core()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in CLOCKS
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date", "time"}
    ]
    imported = [
        f"{source.path}:{line} imports {module}"
        for source in _core()
        for line, module in _imports(source.tree)
        if module == "time" or module.startswith("time.")
    ]
    assert not found + imported, "\n".join(found + imported)


def test_only_the_fold_changes_a_dossier() -> None:
    fields = set(Dossier.__struct_fields__)
    found = [
        f"{source.path}:{target.lineno} changes .{name}"
        for source in SOURCES
        if source.path not in HANDS_ON_DOSSIERS
        for target in _changed(source.tree)
        if (name := _dossier_field(target)) in fields
    ]
    assert not found, "\n".join(found)


def _changed(tree: ast.Module) -> Iterator[ast.expr]:
    """Every place a value is assigned to or deleted from, but a class's own attributes."""
    for node in ast.walk(tree):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign | ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            yield from target.elts if isinstance(target, ast.Tuple | ast.List) else [target]


def _dossier_field(target: ast.expr) -> str | None:
    """The attribute that `x.attribute = ...` or `x.attribute[...] = ...` changes, x not being `self`."""
    inner = target.value if isinstance(target, ast.Subscript) else target
    if not isinstance(inner, ast.Attribute):
        return None
    own = isinstance(inner.value, ast.Name) and inner.value.id == "self"
    return None if own else inner.attr


def test_only_the_entry_point_catches_everything() -> None:
    found = [
        f"{source.path}:{node.lineno}"
        for source in SOURCES
        if source.path != "workflow/cli/main.py"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node)
    ]
    assert not found, "\n".join(found)


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(one, ast.Name) and one.id in {"Exception", "BaseException"} for one in caught)


def test_functions_stay_short() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.name} has {length} lines"
        for source in SOURCES
        for node in _functions(source.tree)
        if (length := _length(node)) > LINES_OF_FUNCTION
    ]
    assert not found, "\n".join(found)


def test_functions_stay_flat() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.name} nests {depth} deep"
        for source in SOURCES
        for node in _functions(source.tree)
        if (depth := max((_depth(one) for one in node.body), default=0)) > NESTING
    ]
    assert not found, "\n".join(found)


def test_modules_stay_short() -> None:
    found = [
        f"{source.path} has {lines} lines"
        for source in SOURCES
        if (lines := source.text.count("\n")) > LINES_OF_MODULE
    ]
    assert not found, "\n".join(found)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its name to its end, without its docstring."""
    first = node.body[0]
    said = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if said else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


_BLOCKS: Final = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.With, ast.AsyncWith, ast.Match)


def _depth(node: ast.AST) -> int:
    """How deep blocks lie in one another; an `elif` is no deeper than its `if`, a function counts for itself."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return 0
    if isinstance(node, ast.If):
        chained = node.orelse if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If) else []
        below = [*node.body, *([] if chained else node.orelse)]
        own = 1 + max((_depth(one) for one in below), default=0)
        return max([own, *(_depth(one) for one in chained)])
    deepest = max((_depth(one) for one in ast.iter_child_nodes(node)), default=0)
    return deepest + isinstance(node, _BLOCKS)


def _tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return [ROOT / source.path for source in SOURCES]
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("pattern", SAID_NOWHERE)
def test_no_file_names_a_machine_or_a_registry(pattern: str) -> None:
    said = re.compile(pattern)
    found = []
    for path in _tracked():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in said.finditer(text)]
    assert not found, "\n".join(found)
