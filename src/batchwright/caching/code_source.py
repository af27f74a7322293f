"""Source texts: where a loaded piece of code is written, and whether that text still holds.

A file may have been edited since it was imported. So a text is used for a function only when it
compiles to the very code that is loaded, and for statements of a module only when the file is
known not to have changed since the import.
"""

from __future__ import annotations
import __future__

import ast
import linecache
import marshal
import os
import sys
import time
import tokenize
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from batchwright.caching import code_bytes, code_names, code_tree

if TYPE_CHECKING:
    import types
    from collections.abc import Iterator, Mapping

_FUTURES = 0
_ANNOTATIONS = __future__.annotations.compiler_flag
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Namespace = dict[str, Any]
Statement = tuple[ast.stmt, tuple[ast.AST, ...]]
"""A statement of a module, with the heads (`if` tests and the like) of the blocks it stands in."""

_NO_TYPES: dict[str, Any] = {"type_params": []} if sys.version_info >= (3, 12) else {}
_START_UP_S = 0.02  # no process imports a module of its user sooner after it was started


class Source:
    """One source text. `holds` says that it is what its module was loaded from."""

    def __init__(self, name: str, text: str, *, holds: bool) -> None:
        self.name = name
        self.text = text
        self.holds = holds
        self.lines = text.splitlines(keepends=True)

    @cached_property
    def tree(self) -> ast.Module | None:
        """The whole text as a tree; None when it does not parse."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError):
            return None

    @cached_property
    def statements(self) -> list[Statement]:
        """All statements of the module level, those in `if`, `try` and `with` blocks included."""
        return list(_flat(self.tree.body, ())) if self.tree is not None else []

    @cached_property
    def bindings(self) -> dict[str, list[Statement]]:
        """For each name of the module, the statements that bind it, in order."""
        return bindings(self.statements)

    @cached_property
    def touching(self) -> dict[str, list[Statement]]:
        """For each name, the statements of the module level that may change what it holds."""
        found: dict[str, list[Statement]] = {}
        for statement in self.statements:
            for name in _touched(statement[0]):
                found.setdefault(name, []).append(statement)
        return found

    def class_at(self, qualname: str) -> ast.ClassDef | None:
        """The class of that qualified name; None when there is none, or more than one."""
        return self._classes.get(qualname)

    @cached_property
    def _classes(self) -> dict[str, ast.ClassDef | None]:
        found: dict[str, ast.ClassDef | None] = {}
        if self.tree is not None:
            _collect_classes(self.tree.body, "", found)
        return found

    def region(self, first: int, last: int) -> str:
        """The lines of the block that begins at line `first` and reaches at least to `last`."""
        indent = _indent(self.lines[first - 1])
        end = last
        while end < len(self.lines):
            line = self.lines[end]
            stripped = line.lstrip()
            if stripped and stripped[0] not in "#)]}" and _indent(line) <= indent:
                break
            end += 1
        return "".join(self.lines[first - 1 : end])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _flat(body: list[ast.stmt], heads: tuple[ast.AST, ...]) -> Iterator[Statement]:
    for statement in body:
        match statement:
            case ast.If(test=test):
                yield from _flat(statement.body, (*heads, test))
                yield from _flat(statement.orelse, (*heads, ast.UnaryOp(ast.Not(), test)))
            case ast.Try() | ast.TryStar():
                yield from _flat(statement.body, heads)
                for handler in statement.handlers:
                    caught = (handler.type,) if handler.type is not None else ()
                    yield from _flat(handler.body, (*heads, *caught))
                yield from _flat(statement.orelse, heads)
                yield from _flat(statement.finalbody, heads)
            case ast.With():
                inner = (*heads, *(item.context_expr for item in statement.items))
                yield from _flat(statement.body, inner)
                if any(item.optional_vars is not None for item in statement.items):
                    yield statement, heads
            case _:
                yield statement, heads


def _collect_classes(
    body: list[ast.stmt], prefix: str, found: dict[str, ast.ClassDef | None]
) -> None:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            name = prefix + statement.name
            found[name] = None if name in found else statement
            _collect_classes(statement.body, f"{name}.", found)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _collect_classes(statement.body, f"{prefix}{statement.name}.<locals>.", found)
        else:
            for inner in ("body", "orelse", "finalbody"):
                _collect_classes(getattr(statement, inner, []), prefix, found)


def bindings(statements: list[Statement]) -> dict[str, list[Statement]]:
    """For each name, those of the statements that bind it, in order."""
    found: dict[str, list[Statement]] = {}
    for statement in statements:
        for name in bound_names(statement[0]):
            found.setdefault(name, []).append(statement)
    return found


def bound_names(statement: ast.stmt) -> set[str]:
    """The names that a statement binds in its own namespace; `*` for a star import."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {statement.name}
        case ast.Import():
            return {alias.asname or alias.name.split(".")[0] for alias in statement.names}
        case ast.ImportFrom():
            return {alias.asname or alias.name for alias in statement.names}
        case _:
            return {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }


def _touched(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Expr() | ast.For() | ast.While() | ast.AsyncFor() | ast.Delete():
            looked_at: list[ast.AST] = [statement]
        case ast.Assign():
            looked_at = [t for t in statement.targets if not isinstance(t, ast.Name)]
        case ast.AugAssign() | ast.AnnAssign() if not isinstance(statement.target, ast.Name):
            looked_at = [statement.target]
        case _:
            return set()
    return {n.id for top in looked_at for n in ast.walk(top) if isinstance(n, ast.Name)}


# --- the text of a module -----------------------------------------------------------------

_of_module: dict[int, tuple[Any, Namespace, Source | None]] = {}
_of_file: dict[str, tuple[tuple[int, ...], Source]] = {}


def module_source(namespace: Namespace) -> Source | None:
    """The text of the module with these globals, as first seen since it was (re)loaded."""
    known = _of_module.get(id(namespace))
    spec = namespace.get("__spec__")
    if known is not None and known[0] is spec and known[1] is namespace:
        return known[2]
    file = namespace.get("__file__")
    source: Source | None = None
    if isinstance(file, str) and file.endswith((".py", ".pyw")):
        source = _read(file, namespace)
    if source is None and isinstance(file, str):
        source = listed_source(file, namespace)
    _of_module[id(namespace)] = (spec, namespace, source)
    return source


def is_current(namespace: Namespace) -> bool:
    """Whether a module was loaded from its file as the file is now."""
    source = module_source(namespace)
    if source is None:
        return "__file__" not in namespace
    known = _of_file.get(source.name)
    try:
        return source.holds and known is not None and known[0] == _signature(source.name)
    except OSError:
        return False


def _signature(file: str) -> tuple[int, ...]:
    stat = os.stat(file)  # noqa: PTH116  # called for every file, and four times as quick
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def file_source(file: str) -> Source | None:
    """The text of a file of which nothing is loaded yet; it holds by definition."""
    return _read(file, None)


def listed_source(file: str, namespace: Mapping[str, Any]) -> Source | None:
    """A text that only `linecache` knows: a notebook cell, a module in a zip archive."""
    lines = linecache.getlines(file, dict(namespace))
    return Source(file, "".join(lines), holds=False) if lines else None


def _read(file: str, namespace: Namespace | None) -> Source | None:
    try:
        signature = _signature(file)
        holds = namespace is None or _unchanged_since_import(file, signature, namespace)
        known = _of_file.get(file)
        if known is not None and known[0] == signature and known[1].holds == holds:
            return known[1]
        with tokenize.open(file) as stream:
            source = Source(file, stream.read(), holds=holds)
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None
    _of_file[file] = (signature, source)
    return source


def _unchanged_since_import(file: str, signature: tuple[int, ...], namespace: Namespace) -> bool:
    size, modified = signature[2], signature[3]
    changed = max(modified, signature[4])
    if changed >= _PROCESS_START_NS:
        return False
    # What was changed last before the process began was loaded as it stands, unless a stale
    # compiled file was: those know the time of their source to a second only.
    cached = namespace.get("__cached__")
    if not isinstance(cached, str):
        return True
    try:
        compiled = Path(cached).read_bytes()
        written = Path(cached).stat().st_mtime_ns
    except OSError:
        return True
    looks_right = (
        compiled[4:8] == bytes(4)
        and compiled[8:12] == (modified // 10**9 & 0xFFFFFFFF).to_bytes(4, "little")
        and compiled[12:16] == (size & 0xFFFFFFFF).to_bytes(4, "little")
    )
    return changed < written or not looks_right or _is_compiled_from(compiled[16:], file)


def _is_compiled_from(compiled: bytes, file: str) -> bool:
    try:
        code = compile(Path(file).read_bytes(), file, "exec", dont_inherit=True)
        return bool(marshal.loads(compiled) == code)  # noqa: S302  # Python loaded the same bytes
    except (OSError, ValueError, EOFError, TypeError, SyntaxError):
        return False


def _process_start() -> float:
    try:
        # To a hundredth of a second; psutil's figure rests on a boot time in whole seconds here.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
    except (OSError, AttributeError, ValueError, IndexError):
        import psutil  # only where there is no such file

        return float(psutil.Process().create_time())


# Taken once, so that a forked child, which inherits what its parent imported, keeps it too.
_PROCESS_START_NS = int((_process_start() + _START_UP_S) * 10**9)


# --- the text of a code object ------------------------------------------------------------


def definition(code: types.CodeType, namespace: Namespace) -> Function | None:
    """The tree of the function that `code` was compiled from, or None when no text is its own."""
    file = code.co_filename
    if file == namespace.get("__file__"):
        source = module_source(namespace)
    elif file.startswith("<") and not linecache.getlines(file, namespace):
        return None
    else:
        source = _read(file, namespace) or listed_source(file, namespace)
    if source is None:
        return None
    return _in_region(code, source) or _in_tree(code, source)


def enclosing(code: types.CodeType, namespace: Namespace) -> ast.AST | None:
    """The outermost function or class that a nested function stands in."""
    source = module_source(namespace)
    if source is None or source.tree is None or code.co_filename != source.name:
        return definition(code, namespace)
    for statement in source.tree.body:
        if _spans(statement, code.co_firstlineno):
            return statement
    return None


def _in_region(code: types.CodeType, source: Source) -> Function | None:
    # Parsing only the function's own lines is what keeps this quick in a long file.
    first = code.co_firstlineno
    if code.co_name == "<lambda>" or not 0 < first <= len(source.lines):
        return None
    indented = source.lines[first - 1][:1] in (" ", "\t")
    if indented and first == 1:
        return None
    lead = "\n" * (first - 2) + "if 1:\n" if indented else "\n" * (first - 1)
    try:
        tree = ast.parse(lead + source.region(first, _last_line(code)))
    except (SyntaxError, ValueError, RecursionError):
        return None
    node: Any = tree.body[0] if tree.body else None
    if indented:
        node = node.body[0]
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name != code.co_name:
        return None
    if source.holds or _compiles_to(node, code):
        return node
    return None


def _last_line(code: types.CodeType) -> int:
    last = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    return max([last, *(_last_line(inner) for inner in code_bytes.nested(code))])


def _compiles_to(node: ast.stmt, code: types.CodeType) -> bool:
    # Compiled alone, a function loses the scopes around it. Stand-ins for them make free
    # variables free and mangle private names.
    parts = code.co_qualname.split(".")
    owner = parts[-2] if len(parts) > 1 and parts[-2] != "<locals>" else ""
    inner: ast.stmt = node
    if owner:
        inner = ast.ClassDef(owner, [], [], [inner], [], **_NO_TYPES)
    free = [name for name in code.co_freevars if name != "__class__"]
    arguments = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
    outer = ast.FunctionDef("_", arguments, [inner], [], None, **_NO_TYPES)
    module = ast.Module([ast.fix_missing_locations(outer)], [])
    return any(found == code for found in _all_codes(_compile(module, code)))


def _compile(module: ast.Module, code: types.CodeType) -> types.CodeType | None:
    try:
        compiled: types.CodeType = compile(
            module, code.co_filename, "exec", code.co_flags & _FUTURES, dont_inherit=True
        )
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return None
    return compiled


def _all_codes(code: types.CodeType | None) -> Iterator[types.CodeType]:
    if code is not None:
        yield code
        for inner in code_bytes.nested(code):
            yield from _all_codes(inner)


def _in_tree(code: types.CodeType, source: Source) -> Function | None:
    # The whole text: for lambdas, which may share their lines, and for functions that an edit
    # elsewhere in the file has moved.
    if source.tree is None:
        return None
    wanted: list[tuple[ast.stmt, types.CodeType]] = []
    top = code.co_qualname.split(".")[0]
    for statement in source.tree.body:
        compiled = None
        if top != "<lambda>" and not _may_define(statement, top):
            continue
        if top == "<lambda>" and not _spans(statement, code.co_firstlineno):
            continue
        compiled = _compile(ast.Module([statement], []), code)
        wanted += [
            (statement, found)
            for found in _all_codes(compiled)
            if found.co_qualname == code.co_qualname
        ]
    for statement, found in wanted:
        if found == code:
            return _node_of(statement, found)
    fingerprint = code_bytes.normalised(code)
    for statement, found in wanted:
        if code_bytes.normalised(found) == fingerprint:
            return _node_of(statement, found)
    return None


def _spans(statement: ast.stmt, line: int) -> bool:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return first <= line <= (statement.end_lineno or first)


def _may_define(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return statement.name == name
    return isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While | ast.TryStar)


def _node_of(statement: ast.stmt, code: types.CodeType) -> Function | None:
    body = {(line, column) for line, _, column, _ in code.co_positions() if column is not None}
    for node in ast.walk(statement):
        if isinstance(node, ast.Lambda):
            if code.co_name == "<lambda>" and (node.body.lineno, node.body.col_offset) in body:
                return node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if node.name == code.co_name and first == code.co_firstlineno:
                return node
    return None


# --- names used by a piece of a tree ------------------------------------------------------


class Said(NamedTuple):
    """What a piece of a module's source says: its canonical texts, and the names it uses."""

    text: str
    annotations: str
    uses: tuple[code_names.Use, ...]


_said: dict[int, tuple[ast.AST, Said]] = {}


def said(node: ast.AST) -> Said:
    """What a statement or expression of a module says, remembered by the node."""
    known = _said.get(id(node))
    if known is None:
        text, annotations = code_tree.canonical(node)
        known = (node, Said(text, annotations, uses_of_tree(node)))
        _said[id(node)] = known
    return known[1]


def uses_of_tree(node: ast.AST) -> tuple[code_names.Use, ...]:
    """The names that a statement or expression of a module uses, functions in it included."""
    body: list[ast.stmt]
    if isinstance(node, ast.stmt):
        body = [node]
    elif isinstance(node, ast.expr):
        body = [ast.fix_missing_locations(ast.copy_location(ast.Expr(node), node))]
    else:
        return ()
    try:
        code = compile(ast.Module(body, []), "<part>", "exec", _ANNOTATIONS, dont_inherit=True)
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return ()
    return code_names.uses_of(code, receiver=False)
