"""Every code that is printed, shown, scanned or typed: make it, read it, check it. Pure; keys come as bytes.

Codes scanned by staff are twenty digits, because a scanner types and a Chinese input method eats letters:
two for the type, sixteen, two check digits. Codes scanned by residents' phones are the tail of a web address in
Crockford's base 32. A code names something; whether it may do something is decided where it is looked up.
"""

import hmac
import re
import secrets
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from stdnum import damm

from pointsbank.kit import crypto
from pointsbank.kit.text import normal_digits

SCAN_LENGTH_MAX = 256
PHONE_STEP_SECONDS = 30
EVENT_STEP_SECONDS = 15
TICKET_LIFE = timedelta(minutes=5)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_LOOKALIKES = str.maketrans("ILO", "110")
_ADDRESS = re.compile(r"(?:.*/)?(?P<room>[ep])/(?P<tail>[0-9A-Za-z]+)/?(?:[?#].*)?", re.DOTALL)

_POSTER_BYTES = 8
_ACTIVATION_BYTES = 10
_EVENT_VERSION = 1
_EVENT_HEAD = struct.Struct(">BIBI")  # version, activity, station, step
_EVENT_TAG_BYTES = 10
_EVENT_BYTES = _EVENT_HEAD.size + _EVENT_TAG_BYTES
_TICKET_VERSION = 1
_TICKET_HEAD = struct.Struct(">BIBQ")  # version, activity, station, microseconds since 1970
_TICKET_TAG_BYTES = 16


class CodeKind(StrEnum):
    """The first four values are the type digits that such a code begins with."""

    CARD = "81"
    PHONE = "82"
    PICKUP = "83"
    HOUSEHOLD = "84"
    PAYMENT = "payment"
    GOODS = "goods"
    EVENT = "event"
    POSTER = "poster"
    MEMBER_NUMBER = "member_number"
    UNKNOWN = "unknown"


_COUNTER_KINDS = {str(kind): kind for kind in (CodeKind.CARD, CodeKind.PHONE, CodeKind.PICKUP, CodeKind.HOUSEHOLD)}


class Scan(msgspec.Struct, frozen=True):
    """What a scanner or a keyboard sent. Everything but the kind stays out of `repr`, and so out of logs.

    `digits`: of a counter code the sixteen between type and check digits; of goods and member numbers all.
    `handle` and `otp`: the halves of a phone code. `token`: the tail of an address, in its one canonical spelling.
    A payment code is recognised and forgotten: it is other people's money.
    """

    kind: CodeKind
    digits: str = ""
    handle: str = ""
    otp: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return f"Scan({self.kind.name})"


def parse_scan(text: str) -> Scan:
    """Say what was scanned; any text gets an answer, and a damaged code is UNKNOWN."""
    if len(text) > SCAN_LENGTH_MAX:
        return Scan(CodeKind.UNKNOWN)
    plain = normal_digits(text)
    return (_digits_scan(plain) if _all_digits(plain) else None) or _token_scan(plain) or Scan(CodeKind.UNKNOWN)


def _digits_scan(digits: str) -> Scan | None:
    length = len(digits)
    if length in (8, 12, 13):
        return Scan(CodeKind.GOODS, digits=digits)
    if length == 9 and member_number_ok(digits):
        return Scan(CodeKind.MEMBER_NUMBER, digits=digits)
    kind = _COUNTER_KINDS.get(digits[:2]) if length == 20 else None
    if kind is None:
        return Scan(CodeKind.PAYMENT) if _is_payment(digits) else None
    if not is_checked(digits):
        return None
    inner = digits[2:18]
    if kind is CodeKind.PHONE:
        return Scan(kind, digits=inner, handle=inner[:8], otp=inner[8:])
    return Scan(kind, digits=inner)


def _is_payment(digits: str) -> bool:
    """WeChat Pay: 18 digits from 10 to 15. Alipay: 16 to 24 digits from 25 to 30. Length and prefix together."""
    prefix = digits[:2]
    return (len(digits) == 18 and "10" <= prefix <= "15") or (16 <= len(digits) <= 24 and "25" <= prefix <= "30")


def _token_scan(text: str) -> Scan | None:
    address = _ADDRESS.fullmatch(text)
    tail = address["tail"] if address else text
    room = address["room"] if address else None
    if room != "p" and (event := read_event_code(tail)):
        return Scan(CodeKind.EVENT, token=event.token)
    if room != "e" and (poster := poster_token(tail)):
        return Scan(CodeKind.POSTER, token=poster)
    return None


# Check digits


def check_digits(body: str) -> str:
    """Two digits after ISO 7064 MOD 97-10: every single wrong digit and every swap of neighbours shows."""
    assert _all_digits(body)
    return f"{98 - int(body) * 100 % 97:02}"


def is_checked(code: str) -> bool:
    return len(code) > 2 and _all_digits(code) and int(code) % 97 == 1 and "02" <= code[-2:] <= "98"


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _random_digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}}"


# Counter codes: card, household, pick-up


def card_digits(key: bytes, card_id: int, generation: int, kind: CodeKind = CodeKind.CARD) -> str:
    """Sixteen digits that can be drawn again from the key, so that no database need keep them."""
    message = f"digits/{kind}/{card_id}/{generation}".encode()
    return f"{int.from_bytes(crypto.mac(key, message)) % 10**16:016}"


def card_index(key: bytes, digits: str, kind: CodeKind = CodeKind.CARD) -> bytes:
    """For the look-up column: who steals the database cannot print cards from it. Give it the kind that was scanned."""
    assert len(digits) == 16
    assert _all_digits(digits)
    return crypto.look_up_mac(key, f"index/{kind}/{digits}")


def card_code(digits: str, kind: CodeKind = CodeKind.CARD) -> str:
    assert len(digits) == 16
    assert kind in _COUNTER_KINDS.values()
    body = kind + digits
    return body + check_digits(body)


def new_pickup_digits() -> str:
    """Sixteen random digits; keep `card_index(key, digits, CodeKind.PICKUP)`, not the digits."""
    return _random_digits(16)


def pickup_code(digits: str) -> str:
    return card_code(digits, CodeKind.PICKUP)


# Phone codes


def new_handle() -> str:
    return _random_digits(8)


def phone_step(moment: datetime) -> int:
    return int(moment.timestamp()) // PHONE_STEP_SECONDS


def phone_code(secret: bytes, handle: str, step: int) -> str:
    return card_code(handle + _one_time_digits(secret, step), CodeKind.PHONE)


def matching_phone_step(secret: bytes, otp: str, moment: datetime, last_step: int) -> int | None:
    """The step that this code was shown in: now, just before or just after, and later than the last one accepted."""
    current = phone_step(moment)
    found = None
    # All three are compared, so that time tells nothing. The latest match wins: should two steps
    # share their digits, the same screenshot must not be good for the second one.
    for step in (current - 1, current, current + 1):
        same = hmac.compare_digest(_one_time_digits(secret, step).encode(), otp.encode("utf-8", "surrogatepass"))
        if same and step > last_step:
            found = step
    return found


def _one_time_digits(secret: bytes, step: int) -> str:
    digest = crypto.mac(secret, f"phone/{step}".encode())
    return f"{int.from_bytes(digest) % 10**8:08}"


# Member numbers


def new_member_number() -> str:
    """Eight random digits and one check digit; no zero in front, which spreadsheets would eat."""
    body = str(10_000_000 + secrets.randbelow(90_000_000))
    return body + damm.calc_check_digit(body)


def member_number_ok(number: str) -> bool:
    return len(number) == 9 and _all_digits(number) and number[0] != "0" and damm.is_valid(number)


def shown_member_number(number: str) -> str:
    return f"{number[:3]} {number[3:6]} {number[6:]}"


# Tokens in addresses


def _written(raw: bytes) -> str:
    number, length = int.from_bytes(raw), -(-len(raw) * 8 // 5)
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def _read(text: str, size_bytes: int) -> bytes | None:
    """Lower case is welcome, and so are the letters that people mistake for 1 and 0."""
    if len(text) != -(-size_bytes * 8 // 5) or not text.isascii():
        return None
    number = 0
    for letter in text.upper().translate(_LOOKALIKES):
        value = _VALUES.get(letter)
        if value is None:
            return None
        number = number << 5 | value
    return number.to_bytes(size_bytes) if number.bit_length() <= size_bytes * 8 else None


def _canonical(text: str, size_bytes: int) -> str | None:
    raw = _read(text, size_bytes)
    return None if raw is None else _written(raw)


def new_poster_token() -> str:
    while True:
        token = _written(secrets.token_bytes(_POSTER_BYTES))
        if not _all_digits(token):  # thirteen digits would be read as the bar code of goods
            return token


def poster_token(text: str) -> str | None:
    """The token in its canonical spelling, if it is one."""
    return _canonical(text, _POSTER_BYTES)


new_check_token = new_poster_token
check_token = poster_token


def activation_token_of(key: bytes, card_id: int, generation: int) -> str:
    """Drawn from the key like the card's digits, so that a slip can be printed without being stored."""
    tag = crypto.mac(key, f"activation/{card_id}/{generation}".encode())
    return _written(tag[:_ACTIVATION_BYTES])


def activation_token(text: str) -> str | None:
    return _canonical(text, _ACTIVATION_BYTES)


def typed_activation_of(key: bytes, card_id: int, generation: int) -> str:
    """Twelve digits for those who cannot scan the slip."""
    tag = crypto.mac(key, f"typed/{card_id}/{generation}".encode())
    return f"{int.from_bytes(tag) % 10**12:012}"


def pairing_digits_of(key: bytes, pairing_id: int) -> str:
    """Eight digits that a phone shows to staff."""
    tag = crypto.mac(key, f"pairing/{pairing_id}".encode())
    return f"{int.from_bytes(tag) % 10**8:08}"


# Rotating event codes and the ticket that a phone gets for one


@dataclass(frozen=True, slots=True)
class EventCode:
    activity_id: int
    station: int
    step: int
    tag: bytes = field(repr=False)

    @property
    def token(self) -> str:
        return _written(_EVENT_HEAD.pack(_EVENT_VERSION, self.activity_id, self.station, self.step) + self.tag)


@dataclass(frozen=True, slots=True)
class Ticket:
    activity_id: int
    station: int
    seen_at: datetime


def event_step(moment: datetime) -> int:
    return int(moment.timestamp()) // EVENT_STEP_SECONDS


def event_code(key: bytes, activity_id: int, station: int, step: int) -> str:
    return EventCode(activity_id, station, step, _event_tag(key, activity_id, station, step)).token


def read_event_code(token: str) -> EventCode | None:
    """Only reads. The activity it names leads to the key; `event_code_ok` then says whether it is true."""
    raw = _read(token, _EVENT_BYTES)
    if raw is None:
        return None
    version, activity_id, station, step = _EVENT_HEAD.unpack_from(raw)
    if version != _EVENT_VERSION:
        return None
    return EventCode(activity_id, station, step, raw[_EVENT_HEAD.size :])


def event_code_ok(key: bytes, code: EventCode, moment: datetime) -> bool:
    genuine = hmac.compare_digest(code.tag, _event_tag(key, code.activity_id, code.station, code.step))
    current = event_step(moment)
    return genuine and code.step in (current - 1, current)


def _event_tag(key: bytes, activity_id: int, station: int, step: int) -> bytes:
    message = f"event/{_EVENT_VERSION}/{activity_id}/{station}/{step}".encode()
    return crypto.mac(key, message)[:_EVENT_TAG_BYTES]


def seal_ticket(key: bytes, activity_id: int, station: int, seen_at: datetime, nonce: str) -> str:
    """Proof that this browser saw the code at that time, so that a slow typist is not refused.

    The nonce stands in a cookie set by the same answer: a forwarded page is of no use elsewhere.
    """
    assert nonce
    microseconds = (seen_at - _EPOCH) // timedelta(microseconds=1)
    head = _TICKET_HEAD.pack(_TICKET_VERSION, activity_id, station, microseconds)
    return _written(head + _ticket_tag(key, head, nonce))


def open_ticket(key: bytes, text: str, now: datetime, nonce: str) -> Ticket | None:
    raw = _read(text, _TICKET_HEAD.size + _TICKET_TAG_BYTES)
    if raw is None or not nonce:
        return None
    head, tag = raw[: _TICKET_HEAD.size], raw[_TICKET_HEAD.size :]
    if not hmac.compare_digest(tag, _ticket_tag(key, head, nonce)):
        return None
    version, activity_id, station, microseconds = _TICKET_HEAD.unpack(head)
    seen_at = _EPOCH + timedelta(microseconds=microseconds)
    if version != _TICKET_VERSION or not timedelta(0) <= now - seen_at <= TICKET_LIFE:
        return None
    return Ticket(activity_id, station, seen_at)


def _ticket_tag(key: bytes, head: bytes, nonce: str) -> bytes:
    message = b"ticket/" + head + nonce.encode("utf-8", "surrogatepass")
    return crypto.mac(key, message)[:_TICKET_TAG_BYTES]


# Labels printed for goods that have no bar code


def own_barcode(number: int) -> str:
    """An EAN-13 from 200…, the range that shops may use among themselves."""
    assert 0 <= number < 10**9
    body = f"200{number:09}"
    return body + _ean_check_digit(body)


def is_own_barcode(code: str) -> bool:
    """Whether a shop printed it itself, because nobody put one on the goods."""
    return len(code) == 13 and code.startswith("200")


def ean13_ok(code: str) -> bool:
    return len(code) == 13 and _all_digits(code) and _ean_check_digit(code[:-1]) == code[-1]


def _ean_check_digit(body: str) -> str:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return str(-total % 10)
