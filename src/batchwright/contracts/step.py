"""`step`: from a function or class to calls that are recorded now and run later."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, overload

import msgspec

from batchwright.contracts.callee import Callee, callee_of, method_of
from batchwright.contracts.capture import capture
from batchwright.contracts.graph import StepOptions, Target
from batchwright.contracts.pending import (
    CapturedArgument,
    ObjectCall,
    StepCall,
    StepMaker,
    StepResult,
    StepValue,
    next_serial,
)
from batchwright.errors import NotCallable, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
R = TypeVar("R")


@overload
def step(
    f: Callable[P, R],
    /,
    *,
    outputs: int | None = None,
    cache: bool = True,
    version: str | None = None,
    ttl: float | None = None,
    sample: Any = None,
    repeats: bool = True,
    retry: int | None = None,
) -> StepFunction[P, R]: ...


@overload
def step(
    f: None = None,
    /,
    *,
    outputs: int | None = None,
    cache: bool = True,
    version: str | None = None,
    ttl: float | None = None,
    sample: Any = None,
    repeats: bool = True,
    retry: int | None = None,
) -> StepDecorator: ...


def step(
    f: Callable[..., Any] | None = None,
    /,
    *,
    outputs: int | None = None,
    cache: bool = True,
    version: str | None = None,
    ttl: float | None = None,
    sample: Any = None,
    repeats: bool = True,
    retry: int | None = None,
) -> Any:
    """A step function: calling it records the call instead of doing it.

    The call gives a stand-in for the result, typed as the result, to be handed to other step
    functions, to `Contract` and to `run`. The call is checked against the signature at once, and
    the arguments are taken as they are then: containers are copied, with the steps in them
    found; arrays above 1 MiB, frames and other objects are not copied, so leave those unchanged.

    A class gives objects that are built once in each worker that needs one; their methods are
    steps: `corpus = step(Corpus)(language="es")`, then `corpus.amounts(text)`.

    Args:
        f: a function, class, partial or any callable. Left out, `step` is a decorator:
            `@step(ttl=60)`.
        outputs: how many results the function returns, for unpacking: `a, b = s(...)`.
        cache: False: the result is neither stored nor shared.
        version: counted as part of the code; a new one makes old results void.
        ttl: seconds for which a result may be served, counted from its computation.
        sample: keeps equal calls apart, for several answers to one question.
        repeats: False: two computations may differ, and that is meant.
        retry: how often a failed call is tried again.

    Raises:
        NotCallable: `f` is not callable, is a coroutine function, or makes steps already.
        RequestError: an option has no meaning.
    """
    options = StepOptions(cache, version, ttl, sample, repeats, retry)
    _check_options(options, outputs)
    if f is None:
        return StepDecorator(options, outputs)
    if isinstance(f, StepMethod):
        return StepMethod(f._owner, f._callee, options, outputs)
    return StepFunction(f, options, outputs)


class StepDecorator:
    """`step` with its options given and its function still to come."""

    def __init__(self, options: StepOptions, outputs: int | None) -> None:
        self._options = options
        self._outputs = outputs

    def __call__(self, f: Callable[P, R], /) -> StepFunction[P, R]:
        return StepFunction(f, self._options, self._outputs)


class StepFunction(StepMaker, Generic[P, R]):
    """A function or class whose calls are recorded; `call` is the function itself."""

    def __init__(self, f: Callable[P, R], options: StepOptions, outputs: int | None) -> None:
        if isinstance(f, StepMaker):
            raise NotCallable(
                f"{f!r} makes steps already. With other options: step({f!r}.call, ...)"
            )
        if isinstance(f, StepValue):
            raise NotCallable(
                f"{f!r} is a step already; step() takes the function. To call a method of its "
                "value write step(TheClass.method)(s, ...)"
            )
        self._callee = callee_of(f)
        if outputs is not None and isinstance(self._callee.target.loaded, type):
            raise NotCallable(
                f"outputs={outputs} says how many results a function returns; class "
                f"{self._callee.target.qualname} makes one object"
            )
        self._options = options
        self._outputs = outputs
        self.call = f
        functools.update_wrapper(cast("Any", self), f, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        callee = self._callee
        arguments = _captured(callee, args, kwargs)
        if isinstance(callee.target.loaded, type):
            made: Any = StepObject(callee, arguments, self._options)
        else:
            made = StepResult(
                StepCall(
                    next_serial(),
                    callee.name,
                    arguments,
                    function=callee.target,
                    options=self._options,
                    outputs=self._outputs,
                )
            )
        return cast("R", made)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # A decorated function in a class body is a method still.
        if instance is None or isinstance(self.call, type) or not hasattr(self.call, "__get__"):
            return self
        return StepFunction(self.call.__get__(instance, owner), self._options, self._outputs)

    def __repr__(self) -> str:
        target = self._callee.target
        return f"<step function {target.module}.{target.qualname}>"


class StepMethod(StepMaker):
    """A method of a `StepObject`; its calls are recorded."""

    def __init__(
        self, owner: StepObject, callee: Callee, options: StepOptions, outputs: int | None
    ) -> None:
        self._owner = owner
        self._callee = callee
        self._options = options
        self._outputs = outputs

    def __call__(self, *args: Any, **kwargs: Any) -> StepResult:
        instance = self._owner._batchwright_object
        call = StepCall(
            next_serial(),
            self._callee.name,
            _captured(self._callee, args, kwargs),
            instance=instance,
            method=self._callee.name,
            options=self._options,
            outputs=self._outputs,
        )
        instance.calls.append(call)
        return StepResult(call)

    def __repr__(self) -> str:
        return f"<step function {self._callee.target.qualname}.{self._callee.name}>"


class StepObject(StepValue):
    """An object that exists only in the run; its methods are step functions.

    Handed to a step as an argument it stands for an object newly built.
    """

    __slots__ = ("_batchwright_made", "_batchwright_object", "_batchwright_options")

    _batchwright_object: ObjectCall
    _batchwright_options: StepOptions
    _batchwright_made: StepResult | None

    def __init__(
        self, callee: Callee, arguments: tuple[CapturedArgument, ...], options: StepOptions
    ) -> None:
        target: Target = callee.target
        object.__setattr__(
            self, "_batchwright_object", ObjectCall(next_serial(), target, arguments)
        )
        object.__setattr__(self, "_batchwright_options", options)
        object.__setattr__(self, "_batchwright_made", None)

    def _batchwright_result(self) -> StepResult:
        if self._batchwright_made is None:
            made = self._batchwright_object
            call = StepCall(
                next_serial(),
                made.owner.qualname.rpartition(".")[2],
                made.arguments,
                function=made.owner,
                options=self._batchwright_options,
                makes=made,
            )
            object.__setattr__(self, "_batchwright_made", StepResult(call))
        assert self._batchwright_made is not None  # noqa: S101  # set above
        return self._batchwright_made

    def __getattr__(self, name: str) -> Any:
        owner = self._batchwright_object.owner.loaded
        if name.startswith("__") or (name.startswith("_") and not hasattr(owner, name)):
            raise AttributeError(f"{self!r} has no attribute {name!r}")
        return StepMethod(self, method_of(owner, name), self._batchwright_options, None)

    def __getitem__(self, item: Any) -> StepResult:
        return self._batchwright_result()[item]

    def __iter__(self) -> Iterator[StepResult]:
        return iter(self._batchwright_result())

    def __len__(self) -> int:
        return len(self._batchwright_result())

    def __call__(self, *args: Any, **kwargs: Any) -> StepResult:
        owner = self._batchwright_object.owner.loaded
        callee = method_of(owner, "__call__")
        return StepMethod(self, callee, self._batchwright_options, None)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<step object {self._batchwright_object.owner.qualname}>"


def _captured(
    callee: Callee, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[CapturedArgument, ...]:
    called = callee.name
    return tuple(
        CapturedArgument(name, capture(value, f"argument {name!r} of {called}()"), kind)
        for name, value, kind in callee.bind(args, kwargs)
    )


def _check_options(options: StepOptions, outputs: int | None) -> None:
    for problem, wrong in (
        ("outputs must be a whole number of at least 1", not _is_count(outputs, 1)),
        ("retry must be a whole number of at least 0", not _is_count(options.retry, 0)),
        ("cache must be True or False", not isinstance(options.cache, bool)),
        ("repeats must be True or False", not isinstance(options.repeats, bool)),
        ("version must be text", not isinstance(options.version, str | None)),
        ("ttl must be a number of seconds above 0", not _is_duration(options.ttl)),
        ("sample must be a plain value, no step", isinstance(options.sample, StepValue)),
    ):
        if wrong:
            given = {**msgspec.structs.asdict(options), "outputs": outputs}
            raise RequestError(f"step(): {problem}, not {given[problem.split()[0]]!r}")


def _is_count(value: Any, least: int) -> bool:
    return value is None or (type(value) is int and value >= least)


def _is_duration(value: Any) -> bool:
    return value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    )
