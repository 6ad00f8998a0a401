"""What msgspec says of data that is not of a type, in words for people: the field, and what it may be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = {
    "`null`": "null",
    "`bool`": "true or false",
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "a text",
    "`array`": "a list",
    "`object`": "an object",
}


class Mismatch(msgspec.Struct, frozen=True):
    """`place` is the field, as in `actions[0].kind`; empty for the whole. `reason` is what is wrong."""

    place: str
    reason: str

    @property
    def text(self) -> str:
        """Both in one sentence; the whole is called so."""
        named = f"`{self.place}`" if self.place else "the whole"
        return f"{named} {self.reason}" if self.reason.startswith("is ") else f"{named}: {self.reason}"


def mismatch(error: msgspec.ValidationError, kind: type[msgspec.Struct], *, typed: bool = True) -> Mismatch:
    """Return what `error` says of data for `kind`; `typed` is False where all of it came as text.

    >>> class Query(msgspec.Struct):
    ...     points: int | None = None
    >>> try:
    ...     msgspec.convert({"points": "many"}, Query, strict=False)
    ... except msgspec.ValidationError as error:
    ...     mismatch(error, Query, typed=False).text
    '`points`: expected a whole number'
    """
    found = re.fullmatch(r"(.*?)(?: - at `\$\.?(.*)`)?", str(error), re.DOTALL)
    reason, place = (found[1], found[2] or "") if found is not None else (str(error), "")
    missing = re.fullmatch(r"Object (missing required|contains unknown) field `(.*)`", reason, re.DOTALL)
    if missing is not None:
        inner = f"{place}.{missing[2]}" if place else missing[2]
        if missing[1] == "missing required":
            return Mismatch(inner, "is missing")
        return Mismatch(inner, f"is unknown here{_listed('; known: ', _fields(_at(kind, place)))}")
    value = re.fullmatch(r"Invalid (?:enum )?value ('.*'|[^'].*)", reason, re.DOTALL)
    if value is not None:
        return Mismatch(place, f"is {value[1][:60]}{_listed(', but may be: ', _choices(kind, place))}")
    reason = re.sub(r"`([a-z |]+)`", _in_words, reason)
    if not typed:
        reason = reason.partition(", got ")[0]
    return Mismatch(place, reason[:1].lower() + reason[1:])


def _in_words(found: re.Match[str]) -> str:
    """Write `int | null` as people do; that a field may be left out needs no word."""
    parts = [part for part in found[1].split(" | ") if part != "null"] or ["null"]
    return " or ".join(_WORDS.get(f"`{part}`", part) for part in parts)


def _listed(before: str, names: Iterable[str]) -> str:
    text = ", ".join(dict.fromkeys(names))
    return f"{before}{text}" if text else ""


def _fields(kinds: Iterable[inspect.Type]) -> list[str]:
    return [
        field.encode_name for kind in kinds if isinstance(kind, inspect.StructType) for field in kind.fields
    ]


def _choices(kind: type[msgspec.Struct], place: str) -> list[str]:
    """Return what may stand at `place`, where that is one of a few words."""
    names: list[str] = []
    for one in _at(kind, place):
        if isinstance(one, inspect.LiteralType):
            names += map(str, one.values)
        elif isinstance(one, inspect.EnumType):
            names += [str(member.value) for member in one.cls]
    whole, _, last = place.rpartition(".")
    for one in _at(kind, whole):
        if isinstance(one, inspect.StructType) and one.tag_field == last:
            names.append(str(one.tag))
    return names


def _at(kind: type[msgspec.Struct], place: str) -> list[inspect.Type]:
    """Return the types that `place` may have, which is as msgspec writes it: `actions[0].kind`."""
    kinds = _flat(inspect.type_info(kind))
    for step in re.findall(r"[^.\[\]]+|\[[^\]]*\]", place):
        kinds = [inner for one in kinds for inner in _flat(_inside(one, step))]
    return kinds


def _inside(kind: inspect.Type, step: str) -> inspect.Type | None:
    if isinstance(kind, inspect.StructType):
        return next((field.type for field in kind.fields if field.encode_name == step), None)
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        return kind.item_type
    return kind.value_type if isinstance(kind, inspect.DictType) else None


def _flat(kind: inspect.Type | None) -> list[inspect.Type]:
    """Take a union, and what is only described, apart."""
    if isinstance(kind, inspect.Metadata):
        return _flat(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [inner for one in kind.types for inner in _flat(one)]
    return [] if kind is None else [kind]
