"""What a step function's call leaves behind: a record of the call, and a stand-in for its result.

The stand-in can be handed to other steps and projected with `[...]`. Whatever else is tried on
it is an error that names the cure, for its value exists only in the run.
"""

from __future__ import annotations

import operator
from enum import Enum
from itertools import count
from types import EllipsisType
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from batchwright.contracts.graph import StepOptions, Target
from batchwright.errors import StepHasNoAttribute, StepUsedAsValue, WrongCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchwright.contracts.graph import Kind

# Numbers calls in the order they are made. A call can only take the results of earlier ones, so
# this order is a topological one.
next_serial = count().__next__


class Captured(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """An argument as it was at the call; `calls` are the calls whose results stand in it.

    In `template` such a result is a `Reference` with the call's serial number.
    """

    template: Any
    calls: tuple[StepCall, ...] = ()


class CapturedArgument(msgspec.Struct, frozen=True, eq=False):
    """An argument under its parameter's name, passed as `Bound.kind` says."""

    name: str
    captured: Captured
    kind: Kind


class ObjectCall(msgspec.Struct, frozen=True, eq=False):
    """How a warm instance is made, and the method calls recorded on it so far, in order."""

    serial: int
    owner: Target
    arguments: tuple[CapturedArgument, ...]
    calls: list[StepCall] = msgspec.field(default_factory=list)


class StepCall(msgspec.Struct, frozen=True, eq=False):
    """One recorded call: of `function`, or of `method` on `instance`.

    `makes` is set where the call builds a warm instance's like, to be handed over as a value.
    """

    serial: int
    name: str
    arguments: tuple[CapturedArgument, ...]
    function: Target | None = None
    instance: ObjectCall | None = None
    method: str = ""
    options: StepOptions = StepOptions()
    outputs: int | None = None
    makes: ObjectCall | None = None

    @property
    def label(self) -> str:
        """`Class.method`, or the function's name."""
        if self.instance is not None:
            return f"{self.instance.owner.qualname}.{self.method}"
        assert self.function is not None  # noqa: S101  # a call has one or the other
        return self.function.qualname

    def reads(self) -> Iterator[StepCall]:
        """The calls whose results this one needs, constructor arguments included."""
        for argument in self.arguments:
            yield from argument.captured.calls
        if self.instance is not None:
            for argument in self.instance.arguments:
                yield from argument.captured.calls


class StepMaker:
    """What makes steps when called; it is never an argument itself."""


class StepValue:
    """Stands for a value that exists only in the run."""

    __slots__ = ("__weakref__",)

    def _batchwright_result(self) -> StepResult:
        """The result that stands for this value where it is an argument."""
        raise NotImplementedError

    def _batchwright_cure(self, name: str) -> str:
        """What to write instead of asking for attribute `name`."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> NoReturn:
        # Protocols are probed by underscored names (copy, numpy, notebooks): a plain no.
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        raise StepHasNoAttribute(
            f"{self!r} has no attribute {name!r}: {self._batchwright_cure(name)}"
        )

    def __copy__(self) -> StepValue:
        return self

    def __deepcopy__(self, _memo: object) -> StepValue:
        return self


class StepResult(StepValue):
    """The result of a call, or the part of it that `items` select one by one."""

    __slots__ = ("_batchwright_call", "_batchwright_items")

    _batchwright_call: StepCall
    _batchwright_items: tuple[Any, ...]

    def __init__(self, call: StepCall, items: tuple[Any, ...] = ()) -> None:
        object.__setattr__(self, "_batchwright_call", call)
        object.__setattr__(self, "_batchwright_items", items)

    def _batchwright_result(self) -> StepResult:
        return self

    def _batchwright_cure(self, name: str) -> str:
        return (
            f"it is a step, whose value exists only in the run. For a method of its value write "
            f"step(TheClass.{name})(s, ...), for an attribute step(getattr)(s, {name!r})"
        )

    def __repr__(self) -> str:
        items = "".join(f"[{item!r}]" for item in self._batchwright_items)
        return f"<step {self._batchwright_call.label}{items}>"

    def __getitem__(self, item: Any) -> StepResult:
        outputs = self._number_of_results()
        item = _selector(self, item)
        if outputs is not None and type(item) is int:
            if not -outputs <= item < outputs:
                raise IndexError(f"{self!r} has {outputs} results; there is no [{item}]")
            item %= outputs
        return StepResult(self._batchwright_call, (*self._batchwright_items, item))

    def __iter__(self) -> Iterator[StepResult]:
        outputs = self._number_of_results()
        if outputs is None:
            raise StepUsedAsValue(
                f"{self!r} was iterated over, but how many results it has is known only in the "
                "run. If it always returns the same number, say so: step(f, outputs=N); "
                "otherwise loop inside a step function"
            )
        return iter([self[index] for index in range(outputs)])

    def __len__(self) -> int:
        outputs = self._number_of_results()
        if outputs is None:
            raise StepUsedAsValue(
                f"len() was asked of {self!r}, which is known only in the run. Write "
                "step(len)(s), or step(f, outputs=N) if it always returns N results"
            )
        return outputs

    def _number_of_results(self) -> int | None:
        return None if self._batchwright_items else self._batchwright_call.outputs


_PLAIN = (int, str, bytes, float, bool, type(None), EllipsisType)


def _selector(result: StepResult, item: Any) -> Any:
    """`item` as plain data, so that the projection has a name of its own in the cache."""
    if type(item) in _PLAIN or isinstance(item, Enum):
        return item
    if type(item) is slice:
        return slice(*(_selector(result, part) for part in (item.start, item.stop, item.step)))
    if type(item) is tuple:
        return tuple(_selector(result, part) for part in item)
    if not isinstance(item, StepValue):
        try:
            return operator.index(item)  # a numpy integer
        except TypeError:
            pass
    raise WrongCall(
        f"{result!r} cannot be projected by a {type(item).__name__}: [...] takes numbers, text and "
        "slices. For any other key write step(operator.getitem)(s, key)"
    )


def _refusal(what: str, cure: str) -> Any:
    def refuse(self: StepValue, *_args: object, **_kwargs: object) -> NoReturn:
        raise StepUsedAsValue(
            f"{self!r} was {what}, but its value exists only in the run. {cure} "
            "(Inside a step, call another step function plainly: f.call(...).)"
        )

    return refuse


_ARITHMETIC = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "or", "xor"),
)
_HAND_OVER = (
    "It stands where steps are not looked for (a closure, a global, an attribute of an object). "
    "Hand it to the step as an argument, bare or in a list, tuple, dict, set, named tuple or "
    "dataclass."
)

_REFUSED = {
    "bool": ("used as a condition", "Put the decision into a function and make that a step."),
    "str": ("formatted", "Format it inside a step, or use repr() to name the step itself."),
    "format": ("formatted", "Format it inside a step, or use !r to name the step itself."),
    "call": ("called", "Write step(operator.call)(s, ...), or call it inside a step."),
    "contains": ("searched with `in`", "Write step(operator.contains)(s, x)."),
    "reversed": ("reversed", "Reverse it inside a step."),
    "next": ("iterated over", "Loop inside a step function."),
    "enter": ("entered with `with`", "Open and close it inside a step."),
    "await": ("awaited", "Steps are run by batchwright.run(...)."),
    "fspath": ("used as a path", "Hand it to a step that opens the file."),
    "setitem": ("changed", "Steps are values: make a step that returns the changed value."),
    "delitem": ("changed", "Steps are values: make a step that returns the changed value."),
    "setattr": ("changed", "Steps are values: make a step that returns the changed value."),
    "delattr": ("changed", "Steps are values: make a step that returns the changed value."),
    "array": ("put into an array", "Collect steps in a list and make the array inside a step."),
    "array_ufunc": ("used in numpy arithmetic", "Write step(numpy.add)(s, x) and the like."),
    "array_function": ("given to a numpy function", "Write step(numpy.mean)(s) and the like."),
    "reduce_ex": ("pickled", _HAND_OVER),
    "batchwright_digest": ("digested", _HAND_OVER),
    **dict.fromkeys(
        ("int", "float", "complex", "index", "bytes", "round", "trunc", "floor", "ceil"),
        ("turned into a number or bytes", "Convert it inside a step, or write step(float)(s)."),
    ),
    **dict.fromkeys(
        ("lt", "le", "gt", "ge"), ("compared", "Compare inside a step, or step(operator.lt)(a, b).")
    ),
    **dict.fromkeys(
        (prefix + name for name in _ARITHMETIC for prefix in ("", "r", "i")),
        ("used in arithmetic", "Calculate inside a step, or write step(operator.add)(a, b)."),
    ),
    **dict.fromkeys(
        ("neg", "pos", "abs", "invert"),
        ("used in arithmetic", "Calculate inside a step, or write step(operator.neg)(a)."),
    ),
}

for _name, (_what, _cure) in _REFUSED.items():
    setattr(StepValue, f"__{_name}__", _refusal(_what, _cure))
