"""Where templates run: nothing is reached but what they are given, and no wording takes long or grows without end.

Every loop, call, filter and printed value costs effort, and a rendering that costs too much is refused. Only filters
whose cost is bounded and whose answer is the same each time are there.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from typing import Any, cast

from jinja2 import StrictUndefined, UndefinedError, nodes, pass_eval_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.filters import do_join, do_replace, do_round
from jinja2.nodes import EvalContext
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_EFFORT = 1_000_000
"""What one text of a message may cost: about as many characters written, or a twentieth as many passes of a loop."""

_PASS = 20
_LARGEST_NUMBER = 10**18
_BLANKS = "".join(map(chr, [*range(0x2000, 0x2010), 0x2028, 0x2029, 0x202F, 0x205F, 0x2060, 0x3000, 0xFEFF]))
BLANKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\xad\u1680" + _BLANKS
"""Characters that show nothing: a value of nothing else is missing."""

_TEXT = (
    *("capitalize", "e", "escape", "float", "forceescape", "int", "lower", "string", "striptags", "title", "trim"),
    *("truncate", "upper", "urlencode", "wordcount"),
)
_OTHER = (
    *("abs", "count", "d", "default", "dictsort", "first", "items", "last", "length", "list", "map", "max", "min"),
    *("reject", "rejectattr", "reverse", "select", "selectattr", "sort", "unique"),
)
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(
        (
            *("capitalize", "casefold", "count", "endswith", "find", "isalpha", "isdigit", "isnumeric", "isupper"),
            *("lower", "lstrip", "partition", "removeprefix", "removesuffix", "rpartition", "rsplit", "rstrip"),
            *("split", "splitlines", "startswith", "strip", "title", "upper"),
        )
    ),
    date: frozenset(("date", "isocalendar", "isoformat", "isoweekday", "strftime", "time", "weekday")),
    dict: frozenset(("get", "items", "keys", "values")),
}
_WIDE = re.compile(r"%[^a-zA-Z%]*?(\d{3,}|\*)")
_spent: ContextVar[list[int] | None] = ContextVar("spent", default=None)


class TooMuch(ValueError):
    """A template that costs more than a message may."""


@contextmanager
def effort() -> Iterator[None]:
    """Count what the rendering inside costs. Inside, `TooMuch` is raised where it is more than `MOST_EFFORT`."""
    token = _spent.set([0])
    try:
        yield
    finally:
        _spent.reset(token)


def spend(cost: int) -> None:
    """Count ``cost``. Raises `TooMuch`."""
    spent = _spent.get()
    if spent is None:
        return
    spent[0] += cost
    if spent[0] > MOST_EFFORT:
        raise TooMuch("it loops too often or grows too large (more than 1,000,000 characters' worth of work)")


class Missing(StrictUndefined):
    """A missing field: may be asked about, never printed."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False

    def __repr__(self) -> str:
        return self._fail_with_undefined_error()

    @property
    def _undefined_message(self) -> str:
        owner = self._undefined_obj.name if isinstance(self._undefined_obj, Fields) else ""
        return f"{owner}.{self._undefined_name}" if owner else str(self._undefined_name)


class Fields:
    """The fields of one object, as a template sees them. It has no attributes that could shadow a field."""

    __slots__ = ("_name", "_values")

    def __init__(self, name: str, values: Mapping[str, Any]) -> None:
        self._name = name
        self._values = values

    def __getitem__(self, field: str) -> Any:
        value = self._values[field]
        if value is None or (isinstance(value, str) and not value.strip(BLANKS)):
            raise KeyError(field)
        return value

    @property
    def name(self) -> str:
        """Which object it is."""
        return self._name


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment that templates are compiled in and run by."""

    intercepted_binops = frozenset({"+", "*", "%", "**"})

    def __init__(self, *, escape: bool) -> None:
        super().__init__(
            undefined=Missing,
            autoescape=escape,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=_shown,
        )
        self.globals.clear()
        self.filters = dict(_FILTERS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A field, or what the sandbox lets through."""
        return self.getitem(obj, attribute) if isinstance(obj, Fields) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A field, or what the sandbox lets through."""
        if isinstance(obj, Fields):
            try:
                return obj[argument]
            except KeyError:
                return self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a macro, or one of the methods that cannot grow without end."""
        if not isinstance(__obj, Undefined | Macro):
            _check_method(__obj, args)
        spend(_PASS)
        return _charged(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate, within bounds."""
        _check_sum(operator, left, right)
        return _charged(super().call_binop(context, operator, left, right))


def bounded(tree: nodes.Template) -> nodes.Template:
    """The same template with its loops counted, and with nothing missing joined to a text."""
    for loop in list(tree.find_all(nodes.For)):
        literal = sum(len(d.data) for d in loop.find_all(nodes.TemplateData))
        loop.iter = _through("loop over", cast(nodes.Expr, loop.iter), nodes.Const(literal))
    for joined in list(tree.find_all(nodes.Concat)):
        joined.nodes = [_through("piece", piece) for piece in joined.nodes if isinstance(piece, nodes.Expr)]
    return tree


def _through(name: str, node: nodes.Expr, *args: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _check_method(method: Any, args: Sequence[Any]) -> None:
    owner, name = getattr(method, "__self__", None), getattr(method, "__name__", "this")
    if isinstance(owner, LoopContext):
        return
    allowed = next((names for kind, names in _METHODS.items() if isinstance(owner, kind)), frozenset[str]())
    if name not in allowed:
        raise SecurityError(f"{name}() cannot be called in a template")
    if name == "strftime":
        _check_format(args[0] if args else "")


def _check_sum(operator: str, left: Any, right: Any) -> None:
    if operator == "*" and any(isinstance(x, str | list | tuple) for x in (left, right)):
        text, times = (left, right) if isinstance(left, str) else (right, left)
        if not isinstance(text, str) or not isinstance(times, int):
            raise TypeError("a list cannot be multiplied")
        spend(len(text) * max(times, 0))
    if operator == "%" and isinstance(left, str):
        _check_format(left)
        for value in right if isinstance(right, tuple) else (right,):
            _scalar(value)
    if operator == "**" and not (isinstance(left, int | float) and abs(left) <= 1e6 and abs(right) <= 20):
        raise OverflowError("a power may be of a number up to 1,000,000 and to at most 20")


def _check_format(text: object) -> None:
    if _WIDE.search(str(text)):
        raise TooMuch(f"the format {str(text)[:40]!r} is too wide")


def _charged(value: Any) -> Any:
    """``value``, paid for."""
    if isinstance(value, str | list | tuple | dict):
        spend(len(value) + 1)
    elif isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        raise OverflowError("a number became too large")
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, list | tuple | dict | set | Iterator | Macro | Fields):
        raise TypeError(f"a {type(value).__name__} is no text; pick or join its parts")
    return value


def _shown(value: Any) -> Any:
    """What is printed: a value that is there, no list, and never the word None."""
    if value is None:
        raise UndefinedError("a value (none)")
    return _charged(_scalar(value))


def _loop_over(value: Iterable[Any], literal: int) -> list[Any]:
    """The items of a loop, paid for before the first pass: each costs its literal text besides."""
    items = []
    for item in value:
        spend(_PASS + literal)
        items.append(item)
    return items


@pass_eval_context
def _join(eval_ctx: EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    items = []
    for item in value:
        spend(len(str(_shown(item))) + len(d) + 1)
        items.append(item)
    joined: str = do_join(eval_ctx, items, d, attribute)
    return joined


@pass_eval_context
def _replace(eval_ctx: EvalContext, s: str, old: str, new: str, count: int | None = None) -> str:
    spend(str(_shown(s)).count(str(old)) * len(str(new)))
    replaced: str = do_replace(eval_ctx, s, old, new, count)
    return replaced


def _round(value: float, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > 12:
        raise ValueError(f"round: {precision} is more than 12 places")
    return do_round(value, precision, method)


def _format(value: str, *args: Any) -> str:
    _check_sum("%", value, args)
    return str(value) % args


def _paid(function: Callable[..., Any], *, text: bool) -> Callable[..., Any]:
    """The filter ``function``, paid for; ``text`` refuses lists, which would be written out."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if text:
            for value in args:
                _scalar(value)
        return _charged(function(*args, **kwargs))

    return wrapped


_OWN: Mapping[str, Callable[..., Any]] = {"join": _join, "replace": _replace, "round": _round, "format": _format}
_FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _paid(JINJA_FILTERS[name], text=True) for name in _TEXT},
    **{name: _paid(JINJA_FILTERS[name], text=False) for name in _OTHER},
    **{name: _paid(function, text=False) for name, function in _OWN.items()},
    "loop over": _loop_over,
    "piece": _shown,
}
FILTERS = tuple(sorted(set(_FILTERS) - {"loop over", "piece"}))
"""The filters that a template may use."""
