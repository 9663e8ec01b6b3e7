"""What is said to whoever cannot redeem yet, or for a time."""

from datetime import date

from pointsbank.kit.errors import Kind, Refusal

TENTH_MINUTES = 6


class GateShut(Refusal):
    kind = Kind.LIMITED
    code = "awards.gate_shut"
    message = "再服务 {hours} 小时就可以兑换。"


class Barred(Refusal):
    """What was found is told to its holder alone, and not across a counter."""

    kind = Kind.LIMITED
    code = "awards.barred"
    message = "到 {day}为止不能兑换：按积分标准，告知书已经送达。有疑问请到社区。"


def hours_left(minutes: int) -> str:
    """Tenths of an hour, and never less than is left."""
    assert minutes > 0
    whole, tenths = divmod(-(-minutes // TENTH_MINUTES), 10)
    return f"{whole}.{tenths}" if tenths else str(whole)


def refusal(barred_until: date | None, minutes_left: int) -> Refusal | None:
    """Why nothing can be redeemed; a day that is told comes first."""
    if barred_until is not None:
        return Barred(day=barred_until.isoformat())
    return GateShut(hours=hours_left(minutes_left)) if minutes_left > 0 else None
