"""HTML forms: what was typed, what it means, and what is to be changed. Nothing that is seen is ever lost.

Fields are those of a msgspec Struct. Understood: int, str, bool (a checkbox), date, time, datetime (a local time of
Shanghai), Enum, Literal, list of these (several inputs of one name), and `| None`, `Annotated[…, Meta(title, ge, …)]`.

A form with a file is `multipart/form-data`; its route says `opt={"upload": True}`, which lets a body grow to
`UPLOAD_BYTES_MAX`. `read` reads its fields as always, `read_file` its one file; the order does not matter.
"""

import re
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from msgspec import inspect
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from pointsbank.kit.clock import ZONE
from pointsbank.kit.db.command import REQUEST_KEY, RequestKeyUnfit
from pointsbank.kit.errors import KeyReused, Kind, Refusal
from pointsbank.kit.text import seen
from pointsbank.web import i18n
from pointsbank.web.i18n import _

FIELDS_MAX = 2000
PARTS_MAX = 20  # of a form with a file
FILE_BYTES_MAX = 5 * 1024 * 1024
UPLOAD_BYTES_MAX = FILE_BYTES_MAX + 64 * 1024  # the file, and the form around it
YEAR_MIN = 1900  # nobody means an earlier one, and the first day of all has no moment in UTC
DIGITS_MAX = 18  # the largest number that both databases keep whole
CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
TRUE = {"1", "on", "true", "yes", "是"}

T = TypeVar("T", bound=msgspec.Struct)


class Filled(Generic[T]):
    """A form as it came, or a new one (`blank`); templates read `typed` and `errors`."""

    def __init__(self, typed: dict[str, str], lists: dict[str, list[str]] | None = None) -> None:
        self.typed = typed
        self.lists = lists or {}
        self.errors: dict[str, str] = {}
        self._value: T | None = None

    @classmethod
    def blank(cls, **typed: object) -> "Filled[T]":
        return cls({name: "" if value is None else str(value) for name, value in typed.items()})

    @property
    def is_valid(self) -> bool:
        return not self.errors

    @property
    def value(self) -> T:
        """What was read. It stays when something is refused later: whoever checks one field may go on to the next."""
        assert self._value is not None, "only a form that could be read has a value"
        return self._value

    def refuse(self, field: str, text: str | Refusal, **facts: Any) -> None:
        """Say what is to be changed at a field; the first word about a field stands.

        Where no field is wrong the refusal goes on to whoever asked: nothing was decided, and the same request may
        be sent again; or its key was used for something else.
        """
        if isinstance(text, Refusal) and (text.kind is Kind.BUSY or isinstance(text, KeyReused)):
            raise text
        said = i18n.t(text) if isinstance(text, Refusal) else _(text, **facts)
        self.errors.setdefault(field, said)


blank = Filled.blank


def number(text: str) -> int | None:
    """An id from an address or a hidden field; None for whatever is none, digits of other scripts included."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None


class _Wrong(Exception):
    """Internal to this module: the sentence about one field."""


async def read(
    request: Request[Any, Any, Any], struct: type[T], *, labels: Mapping[str, str] | None = None
) -> Filled[T]:
    """Read a urlencoded or multipart body. `labels` name the fields in messages, before `Meta(title=…)`."""
    lists = await texts(request)
    filled: Filled[T] = Filled({name: "\n".join(values) for name, values in lists.items()}, lists)
    if "request_key" in struct.__struct_fields__ and not REQUEST_KEY.fullmatch(filled.typed.get("request_key", "")):
        raise RequestKeyUnfit  # no reader can mend it: the page puts it there
    known: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        shape, title = _shape(inspect.type_info(field.type))
        label = _((labels or {}).get(field.encode_name) or title or field.encode_name)
        typed = lists.get(field.encode_name, [])
        try:
            found = _convert(shape, typed, label, required=field.required)
        except _Wrong as wrong:
            filled.errors[field.encode_name] = str(wrong)
            continue
        if found is not msgspec.UNSET:
            known[field.name] = found
        elif field.required:  # only `| None` comes so far without anything typed
            known[field.name] = None
    if not filled.errors:
        filled._value = struct(**known)  # noqa: SLF001  # made here
    return filled


async def read_file(request: Request[Any, Any, Any], name: str = "file") -> bytes:
    """Return the content of the file of this name; empty if none was chosen. What it is called is not asked."""
    return (await _parts(request)).files.get(name, b"")


class _Parts:
    """A multipart body, taken apart once."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: dict[str, bytes] = {}
        self._segment: MultipartSegment | None = None
        self._content = bytearray()

    def take(self, event: MultipartSegment | bytes | None) -> None:
        """One word of the parser: a part begins, some of it, a part ends."""
        if isinstance(event, MultipartSegment):
            self._segment, self._content = event, bytearray()
        elif event:
            self._content += event
        elif self._segment is not None:
            self._add(self._segment, bytes(self._content))

    def _add(self, segment: MultipartSegment, content: bytes) -> None:
        if segment.filename is not None:
            if segment.name in self.files:
                raise ValidationException
            self.files[segment.name] = content
        else:  # a charset of the sender's choice could cost any time; pages of ours send UTF-8
            self.fields.append((segment.name, content.decode()))


async def _parts(request: Request[Any, Any, Any]) -> _Parts:
    known = request.scope.get("form_parts")
    if isinstance(known, _Parts):
        return known
    parts = _Parts()
    kind, options = request.content_type
    if kind != "multipart/form-data":  # nothing that a form of ours sends: nothing was typed
        return parts
    boundary = options.get("boundary")
    if not boundary:
        raise ValidationException
    most = PARTS_MAX if request.route_handler.opt.get("upload") else FIELDS_MAX
    try:
        with PushMultipartParser(boundary, max_segment_count=most, max_segment_size=FILE_BYTES_MAX) as parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    parts.take(event)
    except ParserLimitReached as error:
        raise RequestEntityTooLarge from error
    except (MultipartError, ValueError) as error:
        raise ValidationException from error
    request.scope["form_parts"] = parts  # type: ignore[typeddict-unknown-key]
    return parts


async def texts(request: Request[Any, Any, Any]) -> dict[str, list[str]]:
    """What was typed, by the names of the inputs."""
    if request.content_type[0] == "application/x-www-form-urlencoded":
        # Not request.form(): Litestar keeps the last 1024 bodies, with the passwords in them, in a cache.
        body = (await request.body()).decode("utf-8", "replace")
        try:
            pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=FIELDS_MAX)
        except ValueError as error:
            raise ValidationException from error
    else:
        pairs = (await _parts(request)).fields
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        lists.setdefault(name, []).append(seen(value.translate(CONTROLS)).replace("\r\n", "\n").strip())
    return lists


def _shape(shape: inspect.Type, title: str = "") -> tuple[inspect.Type, str]:
    """The type below its metadata, and the title on the way."""
    while isinstance(shape, inspect.Metadata):
        title = (shape.extra_json_schema or {}).get("title", title)
        shape = shape.type
    if isinstance(shape, inspect.UnionType) and not title:
        title = next((found for inner in shape.types if (found := _shape(inner)[1])), "")
    return shape, title


def _may_be_none(shape: inspect.Type) -> bool:
    return isinstance(shape, inspect.UnionType) and any(isinstance(inner, inspect.NoneType) for inner in shape.types)


def _convert(shape: inspect.Type, typed: list[str], label: str, *, required: bool) -> Any:
    """The value, or UNSET where nothing was typed and nothing had to be."""
    if isinstance(shape, inspect.UnionType):
        inner = next(kind for kind in shape.types if not isinstance(kind, inspect.NoneType))
        return _convert(_shape(inner)[0], typed, label, required=False)
    if isinstance(shape, inspect.BoolType):
        return bool(typed) and typed[-1].lower() in TRUE
    if isinstance(shape, inspect.ListType | inspect.VarTupleType):
        found = _items(_shape(shape.item_type)[0], typed, label)
        if not found:
            if required:
                raise _Wrong(_("请选择{label}", label=label))
            return msgspec.UNSET
        return tuple(found) if isinstance(shape, inspect.VarTupleType) else found
    text = typed[-1] if typed else ""
    if text:
        return _one(shape, text, label)
    if required:
        raise _Wrong(_("请填写{label}", label=label))
    return msgspec.UNSET


def _items(shape: inspect.Type, typed: list[str], label: str) -> list[Any]:
    """Inputs of one name. Empty ones are left out, unless the items may be None: then rows keep their place."""
    if not _may_be_none(shape):
        return [_convert(shape, [text], label, required=False) for text in typed if text]
    found = [_convert(shape, [text], label, required=False) for text in typed]
    return [None if item is msgspec.UNSET else item for item in found]


def _one(shape: inspect.Type, text: str, label: str) -> Any:
    if isinstance(shape, inspect.StrType):
        return _str(shape, text, label)
    if isinstance(shape, inspect.IntType):
        return _int(shape, text, label)
    plain = unicodedata.normalize("NFKC", text)
    if isinstance(shape, inspect.DateType):
        return _day(plain, label)
    if isinstance(shape, inspect.TimeType):
        return _time(plain, label)
    if isinstance(shape, inspect.DateTimeType):
        day, _mark, clock = plain.replace(" ", "T", 1).partition("T")
        return datetime.combine(_day(day, label), _time(clock, label), ZONE).astimezone(UTC)
    return _choice(shape, text, label)


def _str(shape: inspect.StrType, text: str, label: str) -> str:
    if shape.max_length is not None and len(text) > shape.max_length:
        raise _Wrong(_("{label}最多 {most} 个字，现在有 {now} 个", label=label, most=shape.max_length, now=len(text)))
    if shape.min_length is not None and len(text) < shape.min_length:
        raise _Wrong(_("{label}至少 {least} 个字", label=label, least=shape.min_length))
    if shape.pattern is not None and re.search(shape.pattern, text) is None:
        raise _Wrong(_("{label}的写法不对，请检查", label=label))
    return text


def _int(shape: inspect.IntType, text: str, label: str) -> int:
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace("−", "-")
    digits = plain.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS_MAX):
        raise _Wrong(_("{label}要填整数，例如 12", label=label))
    number = int(plain)
    low = shape.ge if shape.ge is not None else None if shape.gt is None else shape.gt + 1
    high = shape.le if shape.le is not None else None if shape.lt is None else shape.lt - 1
    if (low is not None and number < low) or (high is not None and number > high):
        if low is None:
            raise _Wrong(_("{label}不能大于 {high}", label=label, high=high))
        if high is None:
            raise _Wrong(_("{label}不能小于 {low}", label=label, low=low))
        raise _Wrong(_("{label}要在 {low} 到 {high} 之间", label=label, low=low, high=high))
    return number


def _day(text: str, label: str) -> date:
    """2026-11-22, and what people type where the browser has no date field: 2026/11/22, 2026年11月22日."""
    for mark in "年月/.":
        text = text.replace(mark, "-")
    parts = text.replace(" ", "").removesuffix("日").split("-")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        year, month, day = map(int, parts)
        with suppress(ValueError):
            if year >= YEAR_MIN:
                return date(year, month, day)
    raise _Wrong(_("请把{label}写成 2026-11-22 这样", label=label))


def _time(text: str, label: str) -> time:
    parts = text.split(":")
    if len(parts) in {2, 3} and all(part.isascii() and part.isdigit() and len(part) <= 2 for part in parts):
        with suppress(ValueError):
            return time(int(parts[0]), int(parts[1]))
    raise _Wrong(_("请把{label}写成 14:30 这样", label=label))


def _choice(shape: inspect.Type, text: str, label: str) -> Any:
    options: list[Any] = []
    if isinstance(shape, inspect.EnumType):
        options = list(shape.cls)
    elif isinstance(shape, inspect.LiteralType):
        options = list(shape.values)
    assert options, f"forms does not read {shape}"
    for option in options:
        if str(getattr(option, "value", option)) == text:
            return option
    raise _Wrong(_("请选择{label}", label=label))
