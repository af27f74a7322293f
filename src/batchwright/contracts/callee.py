"""What a step calls: where it is defined, its signature, and how arguments meet its parameters.

A partial is taken apart, and a bound method or a callable object becomes a plain function with
the object as first argument, so that what they hold counts as arguments, by content.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from types import BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from batchwright.contracts.graph import Target
from batchwright.contracts.nearest import hint, listing
from batchwright.contracts.signature import read_signature
from batchwright.errors import NotCallable, UnknownObjectMethod, WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchwright.contracts.graph import Kind

_Parameter = inspect.Parameter
_ANYTHING = inspect.Signature(
    [
        _Parameter("args", _Parameter.VAR_POSITIONAL),
        _Parameter("kwargs", _Parameter.VAR_KEYWORD),
    ]
)
_signatures: WeakKeyDictionary[Any, inspect.Signature] = WeakKeyDictionary()


class Callee(msgspec.Struct, frozen=True, eq=False):
    """Something to call, with the arguments already given to it by a partial or a bound object.

    `wrapped`: the signature is that of what a decorator wraps, so arguments are passed on the
    way they came; the decorator may know only one.
    """

    target: Target
    name: str
    signature: inspect.Signature
    wrapped: bool = False
    given: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}  # msgspec copies it for each

    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[_BoundValue]:
        """The arguments given, under their parameters' names, in the signature's order.

        Raises:
            WrongCall: they do not fit the signature.
        """
        args = self.given + args
        kwargs = {**self.keywords, **kwargs}
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise self._misfit(kwargs, error) from None
        return self._passed(bound, len(args))

    def _passed(self, bound: inspect.BoundArguments, positional: int) -> Iterator[_BoundValue]:
        parameters = self.signature.parameters
        rest = any(
            parameters[name].kind is _Parameter.VAR_POSITIONAL and value
            for name, value in bound.arguments.items()
        )
        for index, (name, value) in enumerate(bound.arguments.items()):
            match parameters[name].kind:
                case _Parameter.POSITIONAL_ONLY:
                    yield name, value, "positional"
                case _Parameter.POSITIONAL_OR_KEYWORD:
                    # Before *args, and through a decorator, a place cannot be traded for a name.
                    in_place = rest or (self.wrapped and index < positional)
                    yield name, value, "positional" if in_place else "keyword"
                case _Parameter.VAR_POSITIONAL if value:
                    yield name, value, "*"
                case _Parameter.VAR_KEYWORD if value:
                    yield name, dict(sorted(value.items())), "**"
                case _Parameter.KEYWORD_ONLY:
                    yield name, value, "keyword"

    def _misfit(self, kwargs: dict[str, Any], error: TypeError) -> WrongCall:
        parameters = self.signature.parameters
        named = [
            name
            for name, parameter in parameters.items()
            if parameter.kind in (_Parameter.POSITIONAL_OR_KEYWORD, _Parameter.KEYWORD_ONLY)
        ]
        open_ended = any(p.kind is _Parameter.VAR_KEYWORD for p in parameters.values())
        unknown = [] if open_ended else [name for name in kwargs if name not in named]
        if unknown and unknown[0] in parameters:
            problem = f"{unknown[0]!r} is given by its place, not by its name"
        elif unknown:
            problem = f"there is no parameter {unknown[0]!r}{hint(unknown[0], named)}"
        else:
            problem = str(error)
        shown = self.signature.replace(
            parameters=[p.replace(annotation=_Parameter.empty) for p in parameters.values()],
            return_annotation=inspect.Signature.empty,
        )
        return WrongCall(
            f"{self.target.qualname}() cannot be called so: {problem}. Its parameters: {shown}"
        )


_BoundValue = tuple[str, Any, "Kind"]


def callee_of(function: Any) -> Callee:
    """What calling `function` comes to.

    Raises:
        NotCallable: it cannot be called, or is a coroutine function.
    """
    if not callable(function):
        raise NotCallable(
            f"step() takes a function or a class, not {_short(function)} of type "
            f"{type(function).__name__}"
        )
    if type(function) is functools.partial:
        inner = callee_of(function.func)
        return msgspec.structs.replace(
            inner,
            given=inner.given + function.args,
            keywords={**inner.keywords, **function.keywords},
        )
    plain = _unbound(function)
    if plain is not None:
        return _with_object(callee_of(plain), function.__self__)
    if _is_plain_object(function):
        called = callee_of(type(function).__call__)
        return _with_object(msgspec.structs.replace(called, name=type(function).__name__), function)
    _refuse_coroutines(function)
    target = target_of(function)
    return Callee(target, _name(target), signature_of(function), hasattr(function, "__wrapped__"))


def method_of(owner: type, name: str) -> Callee:
    """Method `name` of an instance of `owner`, without its `self`.

    Raises:
        UnknownObjectMethod: the class has no such method.
        NotCallable: it is a coroutine function.
    """
    member = member_of(owner, name)
    where = f"class {owner.__qualname__} has no method {name!r}"
    if member is None:
        methods = [m for m in dir(owner) if not m.startswith("_") and callable(getattr(owner, m))]
        near = hint(name, methods) or f"; it has {listing(methods)}"
        raise UnknownObjectMethod(f"{where}{near}")
    found = getattr(owner, name)
    if not callable(found):
        raise UnknownObjectMethod(
            f"{where}, but a value of this name: only methods can be steps. Give the object to a "
            "function that reads it, and make that the step"
        )
    _refuse_coroutines(found)
    signature = signature_of(found)
    takes_self = not isinstance(member, staticmethod | classmethod)
    if takes_self and signature is not _ANYTHING:
        signature = _without_first(signature)
    return Callee(
        Target(owner.__module__, owner.__qualname__, owner),
        name,
        signature,
        hasattr(found, "__wrapped__"),
    )


def member_of(owner: type, name: str) -> Any:
    """What the class or a base of it defines under `name`, unbound; None for nothing."""
    return next((base.__dict__[name] for base in owner.__mro__ if name in base.__dict__), None)


def target_of(function: Any) -> Target:
    """Where a function or class is defined, with the object at hand."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, type):  # a class method, perhaps inherited: reached through this class
        return Target(owner.__module__, f"{owner.__qualname__}.{function.__name__}", function)
    home = getattr(function, "__objclass__", None) or function
    module = getattr(home, "__module__", None)
    if not isinstance(module, str):
        module = type(function).__module__
    qualname = getattr(function, "__qualname__", None) or getattr(function, "__name__", None)
    return Target(module, str(qualname or type(function).__qualname__), function)


def signature_of(function: Any) -> inspect.Signature:
    """The signature; that of `(*args, **kwargs)` for what is written in C and does not tell."""
    try:
        return _signatures[function]
    except (KeyError, TypeError):
        pass
    try:
        signature = read_signature(function)
    except (ValueError, TypeError):
        signature = _ANYTHING
    with contextlib.suppress(TypeError):  # what cannot be referred to weakly is asked again
        _signatures[function] = signature
    return signature


def _unbound(function: Any) -> Any:
    """The plain function behind a method bound to an object, None for anything else."""
    owner = getattr(function, "__self__", None)
    if owner is None or isinstance(owner, type | ModuleType):
        return None
    if isinstance(function, MethodType):
        return function.__func__
    if isinstance(function, BuiltinMethodType):
        return getattr(type(owner), function.__name__, None)
    return None


def _with_object(callee: Callee, owner: Any) -> Callee:
    return msgspec.structs.replace(callee, given=(owner, *callee.given))


def _is_plain_object(function: Any) -> bool:
    """Whether this is an object whose class defines `__call__`, and no function in disguise.

    A decorator's object or a ufunc knows its name and is called as it stands.
    """
    return (
        not isinstance(function, type)
        and isinstance(inspect.getattr_static(type(function), "__call__", None), FunctionType)
        and getattr(function, "__qualname__", None) is None
    )


def _refuse_coroutines(function: Any) -> None:
    plain = inspect.unwrap(function)
    if inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        raise NotCallable(
            f"{target_of(function).qualname}() is a coroutine function, and steps are run without "
            "an event loop. Wrap it: def f(...): return asyncio.run(g(...))"
        )


def _without_first(signature: inspect.Signature) -> inspect.Signature:
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].kind is not _Parameter.VAR_POSITIONAL:
        parameters = parameters[1:]
    return signature.replace(parameters=parameters)


def _name(target: Target) -> str:
    return target.qualname.rpartition(".")[2].strip("<>")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
