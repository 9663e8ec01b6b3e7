"""What the stock room decides without looking anything up."""

import re
from collections.abc import Iterable
from datetime import date

import msgspec

from pointsbank.kit import codes
from pointsbank.kit.errors import Kind, Refusal
from pointsbank.kit.text import normal_digits

POINTS_MAX = 1_000_000
QUANTITY_MAX = 100_000
VALUE_CENTS_MAX = 100_000_000
NAME_LENGTH_MAX = 40
UNIT_LENGTH_MAX = 8
DONOR_LENGTH_MAX = 60
NEVER = date(9999, 12, 31)
SOURCES = ("donated", "purchased", "subsidised")
FOUND = "found"  # the source of pieces that a count found and no delivery explains
LOSSES = ("expired", "damaged", "recalled", "other")
DIFFERENCES = ("miscounted", "misscanned", "missing", "damaged", "expired", "other")

_YUAN = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,2})?")


class OutOfStock(Refusal):
    kind = Kind.LIMITED
    code = "stock.out_of_stock"
    message = "{name}没有货了。请删掉这一行，或换一样。"


class OnlyPastBestBefore(OutOfStock):
    code = "stock.only_past_best_before"
    message = "{name}剩下的已过保质期，不能兑出。请删掉这一行，并到库存里报损。"


class LotShort(Refusal):
    kind = Kind.LIMITED
    code = "stock.lot_short"
    message = "这一批只剩 {remaining} 件，报损不能更多。请改数量。"


class CountClosed(Refusal):
    kind = Kind.CONFLICT
    code = "stock.count_closed"
    message = "这次盘点已经结束，不能再改。要再点，请开始一次新的盘点。"


class CountOpen(Refusal):
    kind = Kind.CONFLICT
    code = "stock.count_open"
    message = "这家超市还有一次没做完的盘点。请先做完，或作废那一次。"


class NothingToCount(Refusal):
    kind = Kind.INVALID
    code = "stock.nothing_to_count"
    message = "没有选商品。请勾选要盘点的，或选“全部”。"


class NothingCounted(Refusal):
    kind = Kind.INVALID
    code = "stock.nothing_counted"
    message = "还没有填一个数。请先填点到的件数，再结束。"


class ReasonMissing(Refusal):
    kind = Kind.INVALID
    code = "stock.reason_missing"
    message = "{name}的数对不上，请选原因。"


class CountStale(Refusal):
    kind = Kind.CONFLICT
    code = "stock.count_stale"
    message = "{name}点过以后又兑出去了，库存不够再减。请重新点这一样。"


class BarcodeUnfit(Refusal):
    kind = Kind.INVALID
    code = "stock.barcode_unfit"
    message = "这不是商品条码。请再扫一次，或留空，打印自己的标签。"


class BarcodeTaken(Refusal):
    kind = Kind.CONFLICT
    code = "stock.barcode_taken"
    message = "这个条码已经登记为「{name}」。请直接入库。"


class GoodEnded(Refusal):
    kind = Kind.CONFLICT
    code = "stock.good_ended"
    message = "{name}已经下架，不能再改，也不能入库。"


class PastBestBefore(Refusal):
    kind = Kind.INVALID
    code = "stock.past_best_before"
    message = "保质期已经过了。过期的东西不要入库。"


class ValueUnfit(Refusal):
    kind = Kind.INVALID
    code = "stock.value_unfit"
    message = "单价请写成 12.50 这样，最多两位小数。"


class DonorMissing(Refusal):
    kind = Kind.INVALID
    code = "stock.donor_missing"
    message = "捐赠的东西请写上捐赠人或单位。"


class Wanted(msgspec.Struct, frozen=True):
    good_id: int
    quantity: int


class Counted(msgspec.Struct, frozen=True):
    """What somebody counted of a good; None takes a number back."""

    good_id: int
    quantity: int | None


class Explained(msgspec.Struct, frozen=True):
    good_id: int
    reason: str


class LotTaken(msgspec.Struct, frozen=True):
    lot_id: int
    quantity: int


def take_from(lots: Iterable[Iterable[int]], quantity: int) -> list[LotTaken]:
    """Take pieces from lots (id, what is left) in the order given; fewer than wanted if the lots hold fewer."""
    assert quantity > 0
    taken = []
    for lot_id, remaining in lots:
        assert remaining > 0
        part = min(remaining, quantity)
        taken.append(LotTaken(lot_id, part))
        quantity -= part
        if quantity == 0:
            break
    return taken


def fit_barcode(typed: str) -> str:
    """The digits of an EAN-8, UPC-12 or EAN-13; refuses a wrong check digit, which is a slip of the hand."""
    digits = normal_digits(typed)
    if len(digits) not in (8, 12, 13) or not codes.ean13_ok(digits.zfill(13)):
        raise BarcodeUnfit
    return plain_barcode(digits)


def plain_barcode(digits: str) -> str:
    """One spelling of a UPC-12: many scanners send it as an EAN-13 with a zero in front."""
    return digits[1:] if len(digits) == 13 and digits[0] == "0" else digits


def cents_of(yuan: str) -> int:
    """「12.5」 as 1250, without a float in between."""
    plain = normal_digits(yuan)
    if _YUAN.fullmatch(plain) is None:
        raise ValueUnfit
    whole, _, part = plain.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or "0")


def yuan_of(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"
