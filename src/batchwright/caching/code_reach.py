"""Everything that a piece of code reaches by name, as a graph of parts.

A walk begins at one function, method or class and works off a list of parts to expand. Each part
holds tokens: the text of its own code, and for every name it uses what that name stands for. A
function or class is named in a token by key and number, so that cycles need no special care and
exchanging two names is seen.
"""

from __future__ import annotations

import builtins
import sys
import types
import weakref
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from batchwright.caching import code_bytes, code_names, code_owner, code_source, code_tree
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchwright.caching.code_names import Use

Namespace = dict[str, Any]
_ABOUT_THE_PLACE = frozenset({"__file__", "__path__", "__spec__", "__loader__", "__cached__"})
_LOOKS_AT_ANNOTATIONS = frozenset(
    {
        *("__annotations__", "__annotate__", "get_type_hints", "get_annotations"),
        *("signature", "getfullargspec", "__signature__"),
    }
)


class Place(NamedTuple):
    """Where a value was found, so that the source that made it can be looked up.

    `kind` is `module` (`holder` is its globals), `class` (`holder` is the class) or `variable`
    (of a closure, a default: `holder` is the key of the function).
    """

    kind: str
    holder: Any
    name: str


class Written(NamedTuple):
    """What one code object says by itself. `text` and `annotations` are digests."""

    text: str
    annotations: str
    uses: tuple[Use, ...]
    decorators: tuple[Use, ...]
    is_plain: bool
    looks_at_annotations: bool
    node: Any


def hashed(text: str) -> str:
    """A short digest of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()


class Walk:
    """One walk over what a root reaches; `finish` gives the parts."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.notes: set[tuple[str, int, str]] = set()
        self.distributions: dict[str, str] = {}
        self.looks_at_annotations = False
        self._contents: dict[str, list[list[str]]] = {}
        self._numbers: dict[Any, str] = {}
        self._alive: list[Any] = []
        self._waiting: deque[Callable[[], None]] = deque()
        self._modules: dict[int, Namespace] = {}
        self._late: list[tuple[list[str], str]] = []

    # --- parts ----------------------------------------------------------------------------

    def part(
        self, identity: Any, key: str, expand: Callable[[list[str]], None], *alive: Any
    ) -> str:
        """The token of a part; it is expanded later if it is met for the first time."""
        token = self._numbers.get(identity)
        if token is None:
            contents = self._contents.setdefault(key, [])
            token = f"<{key}#{len(contents)}>"
            self._numbers[identity] = token
            self._alive += alive
            content: list[str] = []
            contents.append(content)
            self._waiting.append(lambda: expand(content))
        return token

    def finish(self) -> dict[str, str]:
        """Works off all that is waiting; the parts by key, each with its digest."""
        while self._waiting:
            self._waiting.popleft()()
        if self.looks_at_annotations:
            for content, annotations in self._late:
                content.append(f"annotations {annotations}")
        parts = {
            key: hashed("\n".join(repr(content) for content in contents))
            for key, contents in self._contents.items()
        }
        for name, version in self.distributions.items():
            parts[f"dist {name}"] = version
        return parts

    def is_current(self) -> bool:
        """Whether all files looked at still are what was loaded from them."""
        return all(code_source.is_current(namespace) for namespace in list(self._modules.values()))

    def note(self, file: str, line: int, text: str) -> None:
        """Something that cannot be followed."""
        self.notes.add((file, line, text))

    def foreign(self, owner: str, name: str) -> str:
        """The token of something that is not own code; its distribution counts by version."""
        if owner != code_owner.PYTHON:
            for claim in owner.split(", "):
                distribution, _, version = claim.rpartition(" ")
                self.distributions[distribution] = version
        return f"foreign {name}"

    def module_read(self, namespace: Namespace) -> None:
        """Counts a module's file, and the files of own modules it imports, as looked at."""
        if id(namespace) not in self._modules:
            from batchwright.caching import code_files

            code_files.add_files(self.files, self._modules, namespace)

    # --- functions ------------------------------------------------------------------------

    def function(self, function: types.FunctionType, receiver: type | None = None) -> str:
        """The token of a function; as a method of `receiver` only the members it uses count."""
        namespace = function.__globals__
        code = function.__code__
        owner = code_owner.owner_of_namespace(namespace)
        name = code_owner.module_name(namespace.get("__name__"))
        key = f"{name}:{code.co_qualname}"
        identity = ("function", id(function), id(receiver) if receiver else 0)
        if owner == OWN:
            return self.part(
                identity,
                key,
                lambda content: self._expand(content, key, function, receiver),
                function,
                receiver,
            )
        token = self.foreign(owner, key)
        if function.__closure__ or hasattr(function, "__wrapped__"):
            return self.part(
                identity,
                key,
                lambda content: self._expand_foreign(content, token, function, receiver),
                function,
                receiver,
            )
        return token

    def _expand(
        self,
        content: list[str],
        key: str,
        function: types.FunctionType,
        receiver: type | None,
    ) -> None:
        namespace = function.__globals__
        self.module_read(namespace)
        written = written_of(function.__code__, namespace, receiver=receiver is not None)
        content.append(written.text)
        self.looks_at_annotations |= written.looks_at_annotations
        if written.annotations:
            if written.is_plain:
                self._late.append((content, written.annotations))
            else:
                content.append(f"annotations {written.annotations}")
        cells = cells_of(function)
        self._closure(content, key, function, cells, written, receiver)
        decorators = () if _stands_bare(function) else written.decorators
        for use in (*written.uses, *decorators):
            token = self.use(use, function.__code__, namespace, cells, receiver)
            if token:
                content.append(f"{use.root} {use.name}.{'.'.join(use.attributes)} = {token}")
        self._defaults(content, key, function, written)
        for name, value in sorted(vars(function).items()):
            place = Place("attribute", function, name)
            content.append(f"attribute {name} = {self.value(value, place)}")

    def _expand_foreign(
        self,
        content: list[str],
        token: str,
        function: types.FunctionType,
        receiver: type | None,
    ) -> None:
        # A wrapper made by someone else's decorator: what it holds may be own code.
        content.append(token)
        for name, value in sorted(cells_of(function).items()):
            content.append(f"closure {name} = {self.within(value, receiver)}")
        wrapped = vars(function).get("__wrapped__")
        if wrapped is not None:
            content.append(f"wrapped {self.within(wrapped, receiver)}")

    def _closure(
        self,
        content: list[str],
        key: str,
        function: types.FunctionType,
        cells: dict[str, Any],
        written: Written,
        receiver: type | None,
    ) -> None:
        used = {use.name for use in written.uses if use.root == code_names.CLOSURE}
        from batchwright.caching import code_module

        for name in sorted(used & cells.keys()):
            if name == "__class__":
                continue
            value = cells[name]
            if isinstance(value, types.FunctionType) and receiver is not None:
                content.append(f"closure {name} = {self.within(value, receiver)}")
            else:
                token = code_module.variable(self, value, Place("variable", key, name), function)
                content.append(f"closure {name} = {token}")

    def _defaults(
        self, content: list[str], key: str, function: types.FunctionType, written: Written
    ) -> None:
        code = function.__code__
        for name in code_bytes.globals_set(code):
            told = f"{key} sets the global {name}; what it leaves there for later calls is not seen"
            self.note(code.co_filename, code.co_firstlineno, told)
        defaults = function.__defaults__ or ()
        names = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
        both = {**dict(zip(names, defaults, strict=False)), **(function.__kwdefaults__ or {})}
        for name, value in both.items():
            place = Place("default", (key, function, written.node), name)
            content.append(f"default {name} = {self.value(value, place)}")

    # --- names ----------------------------------------------------------------------------

    def use(
        self,
        use: Use,
        code: types.CodeType,
        namespace: Namespace,
        cells: dict[str, Any],
        receiver: type | None,
    ) -> str:
        """The token of what one used name stands for; empty when it is nothing."""
        from batchwright.caching import code_class, code_lazy

        match use.root:
            case code_names.GLOBAL_NAME:
                return self.name(namespace, use.name, use.attributes)
            case code_names.CLOSURE if use.attributes not in ((), ("()",)):
                value = cells.get(use.name)
                if isinstance(value, types.ModuleType):
                    return self.path(value, use.attributes, Place("variable", "", use.name))
            case code_names.CLOSURE if use.name == "__class__" and receiver is None:
                return self.value(cells.get("__class__"), None)
            case code_names.IMPORTED:
                return code_lazy.imported(self, use, namespace)
            case code_names.MEMBER if receiver is not None:
                return code_class.member_token(self, receiver, use.name)
            case code_names.SUPER if receiver is not None:
                return code_class.super_token(self, receiver, cells.get("__class__"), use.name)
            case code_names.STORED if receiver is not None:
                return code_class.hooks_token(self, receiver, ("__setattr__", "__delattr__"))
            case code_names.ESCAPE if receiver is not None:
                return self.value(receiver, None)
            case code_names.NAMESPACE:
                return self.whole_module(namespace, "globals()")
            case code_names.UNKNOWN:
                self.note(code.co_filename, use.line, f"{use.name} cannot be followed")
        return ""

    def name(self, namespace: Namespace, name: str, attributes: tuple[str, ...]) -> str:
        """The token of a global name with the attributes taken of it."""
        if name in _ABOUT_THE_PLACE or name == "__name__":
            return ""  # where code stands is not what it does; a module's name is in each key
        if name in namespace:
            return self.path(namespace[name], attributes, Place("module", namespace, name))
        if name in vars(builtins):
            return "builtin"
        return "missing"

    def path(self, value: Any, attributes: tuple[str, ...], place: Place) -> str:
        """The token of `value.attribute.attribute`, of which only what is reached counts."""
        for position, attribute in enumerate(attributes):
            if not isinstance(value, types.ModuleType):
                break
            namespace = vars(value)
            owner = code_owner.owner_of_namespace(namespace)
            if owner != OWN:
                return self.foreign(owner, ".".join((value.__name__, *attributes[position:])))
            self.module_read(namespace)
            submodule = sys.modules.get(f"{value.__name__}.{attribute}")
            if attribute not in namespace and submodule is None:
                return self._missing(value, attribute)
            place = Place("module", namespace, attribute)
            value = namespace.get(attribute, submodule)
        if isinstance(value, type) and "__subclasses__" in attributes:
            from batchwright.caching import code_class

            return f"{self.value(value, place)} {code_class.subclasses_token(self, value)}"
        if attributes and attributes[-1] == "__doc__" and isinstance(value, types.FunctionType):
            return f"{self.value(value, place)} documented {value.__doc__!r}"
        return self.value(value, place)

    def _missing(self, module: types.ModuleType, attribute: str) -> str:
        maker = vars(module).get("__getattr__")
        if maker is None:
            return "missing"
        file = getattr(module, "__file__", "") or ""
        self.note(file, 0, f"{module.__name__}.{attribute} is made by the module's __getattr__")
        return self.whole_module(vars(module), "")

    def whole_module(self, namespace: Namespace, why: str) -> str:
        """The token of an own module counted whole; `why` is noted when it is given."""
        from batchwright.caching import code_module

        return code_module.whole(self, namespace, why)

    # --- values ---------------------------------------------------------------------------

    def value(self, value: Any, place: Place | None) -> str:
        """The token of any value."""
        from batchwright.caching import code_value

        return code_value.token(self, value, place)

    def within(self, value: Any, receiver: type | None) -> str:
        """The token of a value held by a wrapper: a method it wraps keeps its receiver."""
        if receiver is not None and isinstance(value, types.FunctionType):
            return self.function(value, receiver)
        from batchwright.caching import code_value

        return code_value.own_code_in(self, value)


# --- what a code object says by itself ----------------------------------------------------

_written: dict[tuple[int, bool], tuple[weakref.ref[types.CodeType], Written]] = {}


def written_of(code: types.CodeType, namespace: Namespace, *, receiver: bool) -> Written:
    """What a code object says, remembered as long as it lives."""
    known = _written.get((id(code), receiver))
    if known is not None and known[0]() is code:
        return known[1]
    node = code_source.definition(code, namespace)
    uses = code_names.uses_of(code, receiver=receiver)
    looks = not _LOOKS_AT_ANNOTATIONS.isdisjoint(_all_names(code))
    if node is None:
        written = Written(code_bytes.normalised(code), "", uses, (), True, looks, None)
    else:
        text, annotations = code_tree.canonical(node)
        decorators = _decorator_uses(node)
        written = Written(
            hashed(text),
            hashed(annotations) if annotations else "",
            uses,
            decorators,
            all(_is_neutral(use) for use in decorators),
            looks,
            node,
        )
    _written[id(code), receiver] = (weakref.ref(code), written)
    return written


def _all_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for inner in code_bytes.nested(code):
        names |= _all_names(inner)
    return names


def _decorator_uses(node: code_source.Function) -> tuple[Use, ...]:
    import ast

    if isinstance(node, ast.Lambda) or not node.decorator_list:
        return ()
    found: set[Use] = set()
    for decorator in node.decorator_list:
        found.update(code_source.uses_of_tree(decorator))
    return tuple(sorted(found))


def _stands_bare(function: types.FunctionType) -> bool:
    """Whether a function's name leads to the function itself, so that no decorator wraps it."""
    *path, name = function.__code__.co_qualname.split(".")
    holder: Any = function.__globals__
    for part in path:
        found = holder.get(part)
        if not isinstance(found, type):
            return False
        holder = vars(found)
    member = holder.get(name)
    return member is function or getattr(member, "__func__", None) is function


_NEUTRAL = {
    *("staticmethod", "classmethod", "property", "setter", "getter", "deleter", "override"),
    *("cache", "lru_cache", "cached_property", "wraps", "abstractmethod", "final", "overload"),
    *("contextmanager", "asynccontextmanager"),
}


def _is_neutral(use: Use) -> bool:
    """Whether a decorator is known not to look at annotations."""
    return not _NEUTRAL.isdisjoint((use.name, *use.attributes[-1:]))


def cells_of(function: types.FunctionType) -> dict[str, Any]:
    """The variables of a closure by name; None for one that is not assigned yet."""
    found: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            found[name] = None
    return found
