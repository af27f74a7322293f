"""Classes: counted whole when reached by name, by single members when reached through `self`."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

from batchwright.caching import code_names, code_owner, code_source
from batchwright.caching.code_owner import OWN

if TYPE_CHECKING:
    from batchwright.caching.code_reach import Namespace, Walk

_MADE_BY_PYTHON = frozenset(
    {
        *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__"),
        *("__annotate__", "__annotate_func__", "__annotations_cache__", "__firstlineno__"),
        *("__static_attributes__", "__abstractmethods__", "_abc_impl", "__parameters__"),
        *("__orig_bases__", "__dataclass_fields__", "__dataclass_params__"),
        *("__classcell__", "__type_params__", "__attrs_attrs__", "__attrs_own_setattr__"),
        *("_member_names_", "_member_map_", "_value2member_map_", "_member_type_"),
        *("_value_repr_", "_unhashable_values_", "_hashable_values_", "_use_args_"),
        *("_new_member_", "_unhashable_values_map_", "_singles_mask_", "_all_bits_"),
        *("_flag_mask_", "_boundary_", "_inverted_", "__attrs_props__"),
        "__slotnames__",  # left by copyreg when an instance is first pickled
    }
)


def class_token(walk: Walk, kind: type) -> str:
    """The token of a class reached by name: all of it counts, and its bases."""
    owner = code_owner.owner_of_class(kind)
    key = code_owner.location(kind)
    if owner != OWN:
        return walk.foreign(owner, key)
    return walk.part(("class", id(kind)), key, lambda content: _expand(walk, content, kind), kind)


def _expand(walk: Walk, content: list[str], kind: type) -> None:
    namespace = namespace_of(kind)
    walk.module_read(namespace)
    _frame(walk, content, kind)
    made = _MADE_BY_PYTHON | _made_by_dataclass(kind)
    names = sorted(vars(kind).keys() - made)
    content += [f"{name} = {_member(walk, kind, name, None)}" for name in names]


def _made_by_dataclass(kind: type) -> set[str]:
    """The methods that `@dataclass` wrote: fields and parameters, which count, decide them."""
    if "__dataclass_params__" not in vars(kind):
        return set()
    return {
        name
        for name, member in vars(kind).items()
        if isinstance(member, types.FunctionType)
        and inspect.unwrap(member).__code__.co_filename == "<string>"
    }


def _frame(walk: Walk, content: list[str], kind: type) -> None:
    """All of a class but its members: bases, metaclass, decorators, fields, loose statements."""
    content.append("class")
    content += [f"base {walk.value(base, None)}" for base in kind.__bases__]
    if type(kind) is not type:
        content.append(f"metaclass {walk.value(type(kind), None)}")
    node = class_node(kind)
    namespace = namespace_of(kind)
    if node is not None:
        _written_frame(walk, content, kind, node, namespace)
    else:
        for name, annotation in _annotations(kind).items():
            content.append(f"{name}: {annotation}")
    if "__dataclass_params__" in vars(kind):
        content.append(repr(vars(kind)["__dataclass_params__"]))
    for name, field in sorted(vars(kind).get("__dataclass_fields__", {}).items()):
        made = walk.value(field.default_factory, None)
        flags = (field.init, field.compare, field.hash, field.kw_only)
        content.append(f"field {name} {made} {flags} {_field_default(walk, kind, field)}")
    members = vars(kind).get("_member_map_")
    if isinstance(members, dict):
        for name, member in members.items():
            from batchwright.caching import code_module

            content.append(f"member {name} {code_module.inline(walk, member._value_)}")


def _field_default(walk: Walk, kind: type, field: Any) -> str:
    from batchwright.caching import code_module

    return code_module.inline(walk, field.default)


def _annotations(kind: type) -> dict[str, str]:
    found = vars(kind).get("__annotations__")
    if not isinstance(found, dict):  # a class made in C may have a descriptor there
        return {}
    return {name: str(getattr(value, "__qualname__", value)) for name, value in found.items()}


def _written_frame(
    walk: Walk, content: list[str], kind: type, node: ast.ClassDef, namespace: Namespace
) -> None:
    looked_at: list[ast.AST] = [*node.decorator_list, *node.keywords]
    for statement in node.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Pass():
                continue
            case ast.Assign(targets=[ast.Name()]):
                continue  # a class attribute: counted as a member
            case ast.Expr(value=ast.Constant()):
                continue
        looked_at.append(statement)
    for part in looked_at:
        said = code_source.said(part)
        content.append(said.text)
        for use in said.uses:
            token = _use(walk, kind, namespace, use)
            content.append(f"{use.name}.{'.'.join(use.attributes)} = {token}")


def _use(walk: Walk, kind: type, namespace: Namespace, use: code_names.Use) -> str:
    # Names in a class body are its own members first, then the module's.
    if use.root != code_names.GLOBAL_NAME or use.name in vars(kind):
        return ""
    return walk.name(namespace, use.name, use.attributes)


def class_node(kind: type) -> ast.ClassDef | None:
    """The tree of a class whose source is known to hold; None otherwise."""
    source = code_source.module_source(namespace_of(kind))
    if source is None or not source.holds:
        return None
    return source.class_at(kind.__qualname__)


def namespace_of(kind: type) -> Namespace:
    """The globals of the module that a class is defined in."""
    module = sys.modules.get(kind.__module__)
    if module is not None and vars(module).get("__name__") == kind.__module__:
        return vars(module)
    for member in vars(kind).values():
        function = getattr(member, "__func__", member)
        if isinstance(function, types.FunctionType) and function.__module__ == kind.__module__:
            return function.__globals__
    return {"__name__": kind.__module__}


# --- members ------------------------------------------------------------------------------


def find_member(kind: type, name: str) -> tuple[type, Any] | None:
    """The class in the method resolution order that defines a member, and the member as stored."""
    for base in kind.__mro__:
        if name in vars(base):
            return base, vars(base)[name]
    return None


def member_token(walk: Walk, receiver: type, name: str) -> str:
    """The token of a member used through `self` or `cls`; empty for an instance's own."""
    if name == "__subclasses__":
        return subclasses_token(walk, receiver)
    found = find_member(receiver, name)
    if found is None:
        in_metaclass = find_member(type(receiver), name)
        if in_metaclass is not None and code_owner.owner_of_class(in_metaclass[0]) == OWN:
            return walk.value(type(receiver), None)
        return hooks_token(walk, receiver, ("__getattr__", "__getattribute__"))
    return _member(walk, found[0], name, receiver)


def subclasses_token(walk: Walk, kind: type) -> str:
    """The tokens of all own subclasses of a class, in the order in which it lists them."""
    found: list[str] = []
    waiting: list[type] = type.__subclasses__(kind)
    seen: set[type] = set()
    while waiting:
        current = waiting.pop(0)
        if current not in seen:
            seen.add(current)
            found.append(class_token(walk, current))
            waiting += type.__subclasses__(current)
    return " ".join(found)


def hooks_token(walk: Walk, receiver: type, names: tuple[str, ...]) -> str:
    """The tokens of those of the named special methods that are own code."""
    tokens = []
    for name in names:
        found = find_member(receiver, name)
        if found is not None and code_owner.owner_of_class(found[0]) == OWN:
            tokens.append(_member(walk, found[0], name, receiver))
    return " ".join(tokens)


def super_token(walk: Walk, receiver: type, owner: Any, name: str) -> str:
    """The token of a member as `super()` finds it from inside `owner`."""
    order = receiver.__mro__
    start = order.index(owner) + 1 if isinstance(owner, type) and owner in order else 1
    for base in order[start:]:
        if name in vars(base):
            return _member(walk, base, name, receiver)
    return "missing"


def _member(walk: Walk, owner: type, name: str, receiver: type | None) -> str:
    """The token of a member as it stands in its class."""
    from batchwright.caching.code_reach import Place

    whose = code_owner.owner_of_class(owner)
    if whose != OWN:
        return walk.foreign(whose, f"{code_owner.location(owner)}.{name}")
    walk.module_read(namespace_of(owner))
    value = vars(owner)[name]
    if _is_generated(owner, value):
        if receiver is None:
            return "generated"
        return f"generated {_frame_token(walk, owner)}"
    functions = functions_of(value)
    if receiver is None or not functions:
        return walk.value(value, Place("class", owner, name))
    tokens = [type(value).__name__]
    tokens += [walk.function(function, receiver) for function in functions]
    if isinstance(value, functools.partialmethod):
        place = Place("argument", owner, name)
        tokens += [walk.value(item, place) for item in value.args]
        tokens += [f"{key}={walk.value(item, place)}" for key, item in value.keywords.items()]
    return " ".join(tokens)


def functions_of(member: Any) -> list[types.FunctionType]:
    """The functions that take the receiver first in a method, property or the like."""
    match member:
        case types.FunctionType():
            return [member]
        case classmethod(__func__=types.FunctionType() as function):
            return [function]
        case property():
            parts = (member.fget, member.fset, member.fdel)
            return [part for part in parts if isinstance(part, types.FunctionType)]
        case functools.cached_property(func=types.FunctionType() as function):
            return [function]
        case functools.partialmethod():
            return functions_of(member.func)
    return []


def _is_generated(owner: type, value: Any) -> bool:
    """Whether a method was made by `dataclass` or `attrs` from the fields."""
    if not isinstance(value, types.FunctionType):
        return False
    made = "__dataclass_fields__" in vars(owner) or "__attrs_attrs__" in vars(owner)
    return made and value.__code__.co_filename.startswith("<")


def _frame_token(walk: Walk, kind: type) -> str:
    return walk.part(
        ("frame", id(kind)),
        f"{code_owner.location(kind)} fields",
        lambda content: _frame(walk, content, kind),
        kind,
    )


# --- constructors -------------------------------------------------------------------------

_BUILDING = ("__new__", "__init__", "__post_init__", "__attrs_post_init__", "__attrs_pre_init__")


def constructor_tokens(walk: Walk, kind: type) -> list[str]:
    """What decides the object that calling a class makes."""
    tokens = [f"constructor {code_owner.location(kind)}"]
    if type(kind) is not type and code_owner.owner_of_class(type(kind)) == OWN:
        tokens.append(f"metaclass {walk.value(type(kind), None)}")
    for name in _BUILDING:
        found = find_member(kind, name)
        if found is not None and found[0] is not object:
            tokens.append(f"{name} {_member(walk, found[0], name, kind)}")
    for base in kind.__mro__:
        fields = vars(base).get("__dataclass_fields__") or vars(base).get("__attrs_attrs__")
        if fields and code_owner.owner_of_class(base) == OWN:
            tokens.append(f"fields {_frame_token(walk, base)}")
        if "__init_subclass__" in vars(base) and code_owner.owner_of_class(base) == OWN:
            tokens.append(_member(walk, base, "__init_subclass__", None))
        elif base not in (object, kind) and code_owner.owner_of_class(base) != OWN:
            tokens.append(walk.value(base, None))
    return tokens


def owner_of_function(function: types.FunctionType) -> type | None:
    """The class that holds a function as a method, when its qualified name leads there."""
    *path, name = function.__qualname__.split(".")
    if not path or "<locals>" in path:
        return None
    found: Any = function.__globals__.get(path[0])
    if found is None:
        found = vars(sys.modules.get(function.__module__, types)).get(path[0])
    for part in path[1:]:
        found = vars(found).get(part) if isinstance(found, type) else None
    if not isinstance(found, type) or vars(found).get(name) is not function:
        return None
    return found
