"""What is said to whoever cannot redeem yet, or for a time: the same words wherever it is said."""

from datetime import date

import msgspec

from pointsbank.kit.errors import Kind, Refusal

TENTH_MINUTES = 6


class GateShut(Refusal):
    kind = Kind.LIMITED
    code = "awards.gate_shut"
    message = "还差 {hours} 小时服务，就可以第一次兑换。"


class Barred(Refusal):
    """What was found is told to its holder alone, and not across a counter."""

    kind = Kind.LIMITED
    code = "awards.barred"
    message = "到 {day}为止不能兑换：按积分标准，告知书已经送达。有疑问请到社区。"


class Gate(msgspec.Struct, frozen=True):
    """Minutes of service before the first redemption, and how many of them its holder has served."""

    wanted: int
    served: int
    is_household: bool

    @property
    def left(self) -> int:
        return max(self.wanted - self.served, 0)


def hours_wanted(minutes: int) -> str:
    """Tenths of an hour, and never less than is wanted."""
    assert minutes > 0
    return _hours(-(-minutes // TENTH_MINUTES))


def hours_served(minutes: int) -> str:
    """Tenths of an hour, and never more than were served: with what is left they make the whole."""
    return _hours(minutes // TENTH_MINUTES)


def _hours(tenths: int) -> str:
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}" if rest else str(whole)


def refusals(barred_until: date | None, gate: Gate | None) -> list[Refusal]:
    """Why nothing can be redeemed; a day that is told comes first."""
    found: list[Refusal] = [] if barred_until is None else [Barred(day=barred_until.isoformat())]
    if gate is not None and gate.left:
        found.append(GateShut(hours=hours_wanted(gate.left)))
    return found
