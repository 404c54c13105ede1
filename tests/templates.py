"""Finds every text people read, in the sources: error templates, lines of sums, findings, help, titles.

A text is found where it is written, even if it reaches its place through functions that hand it on.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final, NamedTuple

import workflow.errors
from workflow.cli.options import unwrapped
from workflow.errors import DunghenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ERRORS: Final = {
    name: (0, "template")
    for name, value in vars(workflow.errors).items()
    if isinstance(value, type) and issubclass(value, DunghenError)
}
SINKS: Final = ERRORS | {
    "Words": (0, "template"),
    "Line": (0, "text"),
    "Finding": (2, "text"),
    "Column": (1, "title"),
    "current": (0, "text"),
    "filled": (0, "template"),
    "refusal_line": (1, "template"),
    "translate": (0, "text"),
    "watched": (2, "label"),
    "Known": (3, "template"),
}
"""Where texts end up: a callable's name, and the place and name of the argument that is shown."""
OURS: Final = {
    "Line": "workflow.model",
    "Finding": "workflow.procedure.finding",
    "Column": "workflow.cli.output",
    "Known": "workflow.store.faults",
}
"""Sinks whose names others may use too: they count where they come from these modules."""
SPEAKERS: Final = {"current", "translate", "filled", "refusal_line"}
"""They also show what was written elsewhere: an argument that is no text is not theirs."""


class Text(NamedTuple):
    """A text and where it is written. `text` is None where it is put together at run time."""

    place: str
    text: str | None


class Scope(NamedTuple):
    """A call, its name where it may show a text, and the function it stands in."""

    place: str
    call: ast.Call
    name: str
    around: ast.FunctionDef | None


def texts(files: Iterable[tuple[str, ast.Module]]) -> list[Text]:
    """Every text people read in these files, in their order."""
    files = list(files)
    constants = {name: value for _, tree in files for name, value in _constants(tree)}
    scopes = [scope for path, tree in files for scope in _calls(path, tree)]
    sinks = _with_those_that_hand_on(scopes)
    found = [text for scope in scopes for text in _said(scope, sinks, constants)]
    return found + [text for path, tree in files for text in _help(path, tree)]


def _constants(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield target.id, _branches(node.value)


def _calls(path: str, tree: ast.Module) -> Iterator[Scope]:
    modules = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    seen: list[tuple[ast.AST, ast.FunctionDef | None]] = [(tree, None)]
    while seen:
        node, around = seen.pop()
        inner = node if isinstance(node, ast.FunctionDef) else around
        if isinstance(node, ast.Call):
            name = _name(node)
            theirs = (
                name in OURS and modules.get(name, path.removesuffix(".py").replace("/", ".")) != OURS[name]
            )
            yield Scope(f"{path}:{node.lineno}", node, "" if theirs else name, around)
        seen.extend((child, inner) for child in reversed(list(ast.iter_child_nodes(node))))


def _name(call: ast.Call) -> str:
    """The name a call goes by; a method only of `self`, of a class of errors or of a module of ours."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return call.func.attr if call.func.value.id in {"self", "cls"} else ""
    return ""


def _with_those_that_hand_on(scopes: list[Scope]) -> dict[str, tuple[int, str]]:
    """The sinks, and every function that hands a parameter of its own on to one."""
    sinks = dict(SINKS)
    grown = True
    while grown:
        grown = False
        for scope in scopes:
            argument = _argument(scope, sinks)
            names = [] if scope.around is None else [one.arg for one in _parameters(scope.around)]
            if scope.around is None or not isinstance(argument, ast.Name) or argument.id not in names:
                continue
            if scope.around.name not in sinks:
                bound = names[1:] if names[0] in {"self", "cls"} else names
                sinks[scope.around.name] = (bound.index(argument.id), argument.id)
                grown = True
    return sinks


def _said(
    scope: Scope, sinks: dict[str, tuple[int, str]], constants: dict[str, list[ast.expr]]
) -> Iterator[Text]:
    argument = _argument(scope, sinks)
    for branch in [] if argument is None else _branches(argument):
        if isinstance(branch, ast.Name) and _is_parameter(branch.id, scope.around):
            continue
        written = [_constant(one) for one in _named(branch, scope.around, constants)]
        yield from (Text(scope.place, one) for one in written if one or scope.name not in SPEAKERS)


def _named(
    branch: ast.expr, function: ast.FunctionDef | None, constants: dict[str, list[ast.expr]]
) -> list[ast.expr]:
    """What a name stands for: a constant of some module, or what a loop takes from one."""
    if not isinstance(branch, ast.Name):
        return [branch]
    if branch.id in constants:
        return constants[branch.id]
    assigned = [node for node in ast.walk(function or branch) if isinstance(node, ast.Assign)]
    values = [
        node.value
        for node in assigned
        for to in node.targets
        if isinstance(to, ast.Name) and to.id == branch.id
    ]
    if values:
        return [part for value in values for part in _branches(value)]
    loops = [node for node in ast.walk(function or branch) if isinstance(node, ast.For | ast.comprehension)]
    taken = [loop.iter for loop in loops if branch.id in {one.id for one in _names(loop.target)}]
    found = [one for iterated in taken for name in _names(iterated) for one in constants.get(name.id, [])]
    return found or [branch]


def _names(node: ast.AST) -> list[ast.Name]:
    return [one for one in ast.walk(node) if isinstance(one, ast.Name)]


def _is_parameter(name: str, function: ast.FunctionDef | None) -> bool:
    return function is not None and name in {one.arg for one in _parameters(function)}


def _argument(scope: Scope, sinks: dict[str, tuple[int, str]]) -> ast.expr | None:
    if scope.name not in sinks:
        return None
    (place, keyword), call = sinks[scope.name], scope.call
    if len(call.args) > place and not any(isinstance(one, ast.Starred) for one in call.args[: place + 1]):
        return call.args[place]
    return next((one.value for one in call.keywords if one.arg == keyword), None)


def _branches(value: ast.expr) -> list[ast.expr]:
    """The expressions a value may turn out to be: both sides of a condition, all values of a table."""
    if isinstance(value, ast.IfExp):
        return _branches(value.body) + _branches(value.orelse)
    if isinstance(value, ast.Dict):
        return [branch for one in value.values for branch in _branches(one)]
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "str":
        return []  # data, no text of ours
    if isinstance(value, ast.JoinedStr) and not any(map(str.isalpha, _spelled(value))):
        return []  # data and punctuation
    if isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name | ast.Dict):
        return _branches(value.value)
    return [value]


def _spelled(value: ast.JoinedStr) -> str:
    return "".join(_constant(part) or "" for part in value.values)


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    every = function.args
    return [*every.posonlyargs, *every.args, *every.kwonlyargs]


def _constant(value: ast.expr) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _help(path: str, tree: ast.Module) -> Iterator[Text]:
    """The docstrings of commands, and the `help` of options."""
    if not path.startswith("workflow/cli/"):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(_makes_command(one) for one in node.decorator_list):
            yield Text(f"{path}:{node.lineno}", unwrapped((ast.get_docstring(node) or "").partition("\f")[0]))
        if isinstance(node, ast.Call):
            for one in node.keywords:
                if one.arg in {"help", "short_help", "epilog"} and not isinstance(one.value, ast.Name):
                    yield Text(f"{path}:{node.lineno}", _constant(one.value))


def _makes_command(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr in {"command", "group"}
