"""Who shows, in the demo, what a table may ask for besides points: a panel's votes, a veto, hours before redeeming."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from pointsbank.app.demo_events import Held
from pointsbank.app.demo_people import Resident
from pointsbank.app.demo_places import Community
from pointsbank.kit import db
from pointsbank.people import actions_staff as staff
from pointsbank.people.rules_roles import Role

NAMED = 6
"""Heads of households on the panel, of whom three are drawn."""
VISITED = 2

VOTES = """
SELECT seat.person_id, award.community_id FROM awards_panel_seat seat
  JOIN awards_panel panel ON panel.id = seat.panel_id AND panel.verdict IS NULL
  JOIN awards_award award ON award.id = panel.award_id AND award.state = 'pending'
 WHERE seat.left_at IS NULL AND NOT EXISTS (SELECT 1 FROM awards_panel_vote vote WHERE vote.seat_id = seat.id)
 GROUP BY seat.person_id, award.community_id ORDER BY COUNT(*) DESC, seat.person_id LIMIT 1
"""
BARRED = """
SELECT person_id, community_id FROM awards_case
 WHERE step = 'veto' AND state = 'booked' AND barred_until > ? ORDER BY id DESC LIMIT 1
"""
AT_THE_GATE = """
SELECT book.person_id, book.community_id FROM ledger_passbook book
  JOIN ledger_gate gate ON gate.kind_id = book.kind_id AND gate.minutes > 0
  JOIN ledger_account account ON account.passbook_id = book.id AND account.balance > 0
  JOIN people_person person ON person.id = book.person_id AND person.state = 'member'
  LEFT JOIN ledger_bar bar ON bar.passbook_id = book.id
"""
WAITS = f"{AT_THE_GATE} WHERE bar.gate_passed_on IS NULL ORDER BY book.id DESC LIMIT 1"
PASSED = f"{AT_THE_GATE} WHERE bar.gate_passed_on IS NOT NULL ORDER BY account.balance DESC, book.id LIMIT 1"


class Part(msgspec.Struct, frozen=True):
    """What somebody shows, in a word for programs and in words for the terminal."""

    shows: str
    words: str
    person_id: int
    community_id: int


async def cast(today: date) -> list[Part]:
    """Those who show it today: a member who has voted makes room for another."""
    sought: tuple[tuple[str, str, str, tuple[Any, ...]], ...] = (
        ("votes", "评议小组成员，有一件等他投票", VOTES, ()),
        ("barred", "一票否决生效了，这几个月不能兑换", BARRED, (today,)),
        ("gate_waits", "服务还没满 3 小时，攒着分，还不能兑换", WAITS, ()),
        ("gate_passed", "服务满了 3 小时，可以兑换", PASSED, ()),
    )
    found = [(shows, words, await db.row(sql, *facts)) for shows, words, sql, facts in sought]
    return [Part(shows, words, *one) for shows, words, one in found if one is not None]


async def name_panel(community: Community) -> None:
    """Residents all of them, who vote on their own phones."""
    for resident in _heads(community)[:NAMED]:
        role = Role.PANEL_MEMBER.value
        await db.write(staff.grant, person_id=resident.person_id, role=role, place_id=community.id)


def visit(held: Held) -> None:
    """Only these come: they are never at another activity of the same hour, nor live with one of the panel."""
    held.alone = _heads(held.community)[-VISITED:]


def come_once(held: Sequence[Held]) -> None:
    """Somebody who never came before comes to the first activity of a community that has a gate."""
    for one in held:
        if one.community.plan.rules.get("gate_minutes"):
            one.newcomer = one.community.residents[-1]
            return


def _heads(community: Community) -> list[Resident]:
    return [resident for resident in community.residents if resident.is_head]
