"""The canonical text of a syntax tree: what is left of source when its looks are taken away.

Comments, layout, docstrings, bare strings, `pass` and quoting change nothing in it. Annotations
of parameters, results and local variables go to a text of their own, since only code that looks
at annotations can tell the difference.
"""

from __future__ import annotations

import ast
from typing import Any

_SKIPPED = {"ctx", "type_comment", "kind", "type_ignores"}


def canonical(node: ast.AST, *, local: bool = False) -> tuple[str, str]:
    """The canonical text of `node`, and that of the annotations left out of it.

    `local` says that the node stands inside a function, where annotations of variables are never
    evaluated.
    """
    writer = _Writer()
    writer.local = local
    writer.node(node)
    return "".join(writer.text), "".join(writer.annotations)


_fields_of: dict[type[ast.AST], tuple[str, ...]] = {}


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    known = _fields_of.get(kind)
    if known is None:
        known = tuple(name for name in kind._fields if name not in _SKIPPED)
        _fields_of[kind] = known
    return known


def _says_nothing(statement: ast.AST) -> bool:
    kind = type(statement)
    return kind is ast.Pass or (
        kind is ast.Expr and type(statement.value) is ast.Constant  # type: ignore[attr-defined]
    )


class _Writer:
    """Writes one tree. Recursive, with the commonest nodes first, for this is the hot path."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.annotations: list[str] = []
        self.local = False

    def node(self, node: Any) -> None:
        kind = type(node)
        write = self.text.append
        if kind is ast.Name:
            write(node.id)
            write(" ")
        elif kind is ast.Constant:
            self.constant(node.value)
        elif kind is ast.Attribute:
            self.node(node.value)
            write("." + node.attr + " ")
        elif kind is ast.arg:
            write(node.arg + ",")
            self.annotation(node.arg, node.annotation)
        elif kind in (ast.FunctionDef, ast.AsyncFunctionDef):
            self.function(node)
        elif kind is ast.ClassDef:
            before, self.local = self.local, False
            self.fields(node, kind)
            self.local = before
        elif kind is ast.AnnAssign and self.local and type(node.target) is ast.Name:
            self.annotation(node.target.id, node.annotation)
            if node.value is None:
                write(f"Local({node.target.id})")
            else:
                write("Assign([")
                self.node(node.target)
                write("]")
                self.node(node.value)
                write(")")
        else:
            self.fields(node, kind)

    def fields(self, node: Any, kind: type[ast.AST]) -> None:
        write = self.text.append
        write(kind.__name__ + "(")
        for name in _fields(kind):
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                self.node(value)
            elif type(value) is list:
                self.sequence(value)
            else:
                write(repr(value) + ";")
        write(")")

    def sequence(self, values: list[Any]) -> None:
        write = self.text.append
        write("[")
        for value in values:
            if isinstance(value, ast.AST):
                if not _says_nothing(value):
                    self.node(value)
            else:  # names of global statements, keys of `**` in a dict display, defaults
                write(repr(value) + ";")
        write("]")

    def function(self, node: Any) -> None:
        write = self.text.append
        write(f"{type(node).__name__}({node.name} ")
        self.sequence(node.decorator_list)
        self.sequence(getattr(node, "type_params", []))
        before, self.local = self.local, True
        self.fields(node.args, ast.arguments)
        self.annotation("return", node.returns)
        self.sequence(node.body)
        self.local = before
        write(")")

    def annotation(self, name: str, annotation: ast.AST | None) -> None:
        if annotation is not None:
            before, self.text = self.text, self.annotations
            self.text.append(f"{name}:")
            self.node(annotation)
            self.text = before

    def constant(self, value: Any) -> None:
        # `1`, `True` and `1.0` have different reprs, and so have `0.0` and `-0.0`.
        self.text.append(repr(value) + " ")
