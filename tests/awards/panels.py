"""Awards before a panel, for tests."""

from dataclasses import dataclass

from pointsbank.awards import actions_panel, actions_seats
from pointsbank.awards.rules import Reason, State
from pointsbank.kit import db
from pointsbank.kit.db import Actor
from pointsbank.people import actions_staff
from pointsbank.people.access import Role
from pointsbank.scoring.rules import Basis
from pointsbank.scoring.rules_table import Panel
from tests.awards.neighbours import Neighbours, an_item


def judged(members: int = 3, agree: int = 2, *, drawn: bool = True, **changes):
    """A deed that a panel looks at after the organiser; it is worth ten points."""
    panel = Panel(members, agree, drawn=drawn)
    return an_item(basis=Basis.PER_TIME, review=("organiser", "panel"), panel=panel, **changes)


@dataclass
class Hall:
    """Where a panel sits."""

    neighbours: Neighbours

    async def name(self, person_id: int) -> int:
        """Name somebody for the panel; returns the grant."""
        facts = {"role": Role.PANEL_MEMBER.value, "place_id": self.neighbours.community_id}
        return await db.write(actions_staff.grant, person_id=person_id, **facts)

    async def named(self, count: int) -> list[int]:
        people = [await self.neighbours.person("测试评") for _ in range(count)]
        for person in people:
            await self.name(person)
        return people

    async def deed(self, person_id: int | None = None, **facts) -> int:
        """An award that has come to the panel."""
        made = await self.neighbours.act(person_id or await self.neighbours.person(), **facts)
        return made.award_id

    async def vote(self, award_id: int, person_id: int, *, against: Reason | None = None) -> State:
        facts = {"award_id": award_id, "agrees": against is None, "reason": against}
        return await db.write(actions_panel.vote, actor=Actor(person_id), **facts)

    async def seated(self, award_id: int) -> list[int]:
        found = await db.rows(
            "SELECT person_id FROM awards_panel_seat seat JOIN awards_panel panel ON panel.id = seat.panel_id "
            "WHERE panel.award_id = ? AND seat.left_at IS NULL ORDER BY seat.id",
            award_id,
        )
        return [person_id for (person_id,) in found]

    async def votes(self, award_id: int) -> tuple[int, int]:
        found = await db.row("SELECT agreed, against FROM awards_panel WHERE award_id = ?", award_id)
        assert found is not None
        return tuple(found)

    async def fill(self) -> int:
        done = 0
        while part := await db.write(actions_seats.fill_due):
            done += part
        return done
