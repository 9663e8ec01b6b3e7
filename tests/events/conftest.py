"""An activity in a small community, its organiser, and people who come to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from pointsbank.events import actions, actions_attendance, actions_confirm, queries, rules
from pointsbank.kit import codes, crypto, db
from pointsbank.kit.db import Actor
from pointsbank.people import actions_phones, sealed
from pointsbank.people.access import Role
from tests.world import Community, World

ITEM = "A01"


@dataclass
class Square:
    """Where things happen: at `world.home`, whose organiser is `organiser`."""

    world: World
    organiser: Actor
    organiser_token: str

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    @property
    def home(self) -> Community:
        return self.world.home

    @property
    def community_ids(self) -> tuple[int, ...]:
        return (self.home.id,)

    async def activity(
        self,
        *,
        starts_in: int = 10,
        minutes: int = 120,
        seats: int | None = None,
        title: str = "三号楼楼道清洁",
        is_draft: bool = False,
        **facts: Any,
    ) -> int:
        """An activity that starts so many minutes from now; its item gives a point an hour, for two hours at most."""
        starts_at = self.now + timedelta(minutes=starts_in)
        activity_id = await db.write(
            actions.create,
            actor=self.organiser,
            **{
                "community_id": self.home.id,
                "title": title,
                "venue": "三号楼单元门口",
                "item_code": ITEM,
                "contact": "测试乙 100 0000 0000",
                "starts_at": starts_at,
                "ends_at": starts_at + timedelta(minutes=minutes),
                "seats": seats,
                **facts,
            },
        )
        if not is_draft:
            await self.publish(activity_id)
        return activity_id

    async def publish(self, activity_id: int, community_ids: tuple[int, ...] = ()) -> None:
        where = community_ids or self.community_ids
        await db.write(actions.publish, actor=self.organiser, activity_id=activity_id, community_ids=where)

    async def enter(self, activity_id: int, code: str, *, key: str | None = None) -> actions_attendance.Arrived:
        """Staff scan a code."""
        return await db.write(
            actions_attendance.check_in,
            actor=self.organiser,
            request_key=key,
            activity_id=activity_id,
            code=code,
            community_ids=self.community_ids,
        )

    async def leave(self, activity_id: int, code: str) -> actions_attendance.Left:
        return await db.write(
            actions_attendance.check_out,
            actor=self.organiser,
            activity_id=activity_id,
            code=code,
            community_ids=self.community_ids,
        )

    async def pick(self, activity_id: int, person_id: int) -> actions_attendance.Arrived:
        return await db.write(
            actions_attendance.check_in_picked,
            actor=self.organiser,
            activity_id=activity_id,
            person_id=person_id,
            community_ids=self.community_ids,
        )

    def ticket(self, activity_id: int, *, nonce: str = "this-phone", way: rules.Way = rules.Way.SCREEN) -> str:
        """What a phone gets that sees a code now."""
        return actions_attendance.seal_ticket(activity_id, way, self.now, nonce)

    async def press(self, person_id: int, ticket: str, *, nonce: str = "this-phone", key: str | None = None):
        """A known phone presses the button."""
        return await db.write(
            actions_attendance.check_in_with_ticket,
            actor=Actor(person_id),
            request_key=key,
            ticket=ticket,
            nonce=nonce,
        )

    async def press_out(self, person_id: int, ticket: str, *, nonce: str = "this-phone"):
        return await db.write(
            actions_attendance.check_out_with_ticket, actor=Actor(person_id), ticket=ticket, nonce=nonce
        )

    async def join(self, activity_id: int, *, way: rules.Way = rules.Way.POSTER, phone: str = "10012345678"):
        """An unknown phone gives a name."""
        return await db.write(
            actions_attendance.join,
            ticket=self.ticket(activity_id, way=way),
            nonce="this-phone",
            name="测试丙",
            phone=phone,
            consent_publication=False,
            old_device=None,
            new_device=crypto.token_digest(crypto.new_token()),
            session_digest=crypto.token_digest(crypto.new_token()),
        )

    def screen(self, activity_id: int, steps_ago: int = 0) -> str:
        """The tail of the address that the projector shows."""
        step = codes.event_step(self.now) - steps_ago
        return codes.event_code(actions_attendance.event_key(activity_id), activity_id, rules.SCREEN_STATION, step)

    async def poster(self, activity_id: int) -> str:
        found = await queries.public_activity(activity_id)
        assert found is not None
        return found.poster_token

    async def confirm(self, activity_id: int, *lines: tuple[int, int], actor: Actor | None = None):
        return await db.write(
            actions_confirm.confirm,
            actor=actor or self.organiser,
            activity_id=activity_id,
            community_ids=self.community_ids,
            lines=[actions_confirm.Line(number, minutes) for number, minutes in lines],
        )

    async def attendances(self, activity_id: int) -> list[tuple[int, str]]:
        return [(one.person_id, one.state) for one in await queries.lines(activity_id)]

    async def arrived(self, activity_id: int) -> int:
        found = await queries.public_activity(activity_id)
        assert found is not None
        return found.arrived

    async def phone_code(self, person_id: int) -> str:
        """The digits that a person's paired phone shows now."""
        digest = crypto.token_digest(crypto.new_token())
        pairing = await db.write(actions_phones.start_pairing, old_device=None, new_device=digest)
        digits = actions_phones.pairing_digest(sealed.pairing_digits(pairing))
        await db.write(actions_phones.finish_pairing, digits=digits, person_id=person_id)
        found = await db.row("SELECT id, handle FROM people_device WHERE token_digest = ?", digest)
        assert found is not None
        secret = sealed.phone_secret(found["id"])
        return codes.phone_code(secret, found["handle"], codes.phone_step(self.now))

    async def everything(self) -> list[Any]:
        """Every row that this room and people keep: what a GET must not touch."""
        tables = ("events_activity", "events_attendance", "people_person", "people_device", "people_session")
        found = []
        for table in (*tables, "command", "trail_record", "outbox", "people_consent"):
            found += [tuple(row) for row in await db.rows(f"SELECT * FROM {table}")]
        return found


@pytest.fixture
async def square(world: World) -> Square:
    organiser, token = await world.staff(Role.EVENT_ORGANISER)
    return Square(world, organiser, token)
