"""Activities of the demo: published, attended by card, poster or name, confirmed by their organisers."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pointsbank.app.demo_people import Resident
from pointsbank.app.demo_places import Community, Programme
from pointsbank.app.demo_scene import Scene
from pointsbank.events import actions as events
from pointsbank.events import actions_attendance as attendance
from pointsbank.events import actions_confirm as confirming
from pointsbank.events.rules import Plan, minutes_max
from pointsbank.kit import db
from pointsbank.people.rules_roles import Role

CONTACT = "活动组织者 100 0000 0002"
REGULARS = 12
POSTER = "SELECT poster_token FROM events_activity WHERE id = ?"


@dataclass(slots=True)
class Held:
    """An activity, and who came: what its organiser has before him in the evening."""

    community: Community
    programme: Programme
    plan: Plan
    activity_id: int = 0
    poster: str = field(default="", repr=False)
    alone: list[Resident] = field(default_factory=list)  # who come, and nobody else
    newcomer: Resident | None = None
    came: list[attendance.Arrived] = field(default_factory=list)
    left: dict[int, attendance.Left] = field(default_factory=dict)

    @property
    def organiser(self) -> db.Actor:
        return self.community.actor(Role.EVENT_ORGANISER)

    def lines(self) -> list[confirming.Line]:
        lines = []
        for arrived in self.came:
            left = self.left.get(arrived.attendance_id)
            minutes = left.minutes if left else minutes_max(self.plan, arrived.in_at, None)
            if minutes:
                lines.append(confirming.Line(arrived.attendance_id, minutes))
        return lines


async def publish(scene: Scene, wanted: Sequence[tuple[Community, Programme, datetime]], turn: int) -> list[Held]:
    """Draft and publish; `turn` says which of a programme's titles it is."""
    held = [
        Held(community, programme, Plan(starts_at, starts_at + timedelta(hours=programme.hours.length)))
        for community, programme, starts_at in wanted
    ]
    ids = await scene.all(_create(one, turn) for one in held)
    for one, activity_id in zip(held, ids, strict=True):
        one.activity_id = activity_id
    await scene.all(
        db.write(
            events.publish,
            actor=one.organiser,
            activity_id=one.activity_id,
            community_ids=(one.community.id,),
        )
        for one in held
    )
    for one in held:
        found = await db.row(POSTER, one.activity_id)
        assert found is not None
        one.poster = found["poster_token"]
    return held


def _create(one: Held, turn: int) -> Coroutine[Any, Any, int]:
    title, venue = one.programme.turns[turn % len(one.programme.turns)]
    return db.write(
        events.create,
        actor=one.organiser,
        community_id=one.community.id,
        title=title,
        venue=venue,
        item_code=one.programme.item_code,
        contact=CONTACT,
        starts_at=one.plan.starts_at,
        ends_at=one.plan.ends_at,
        seats=one.programme.people + 10,
    )


async def attend(scene: Scene, held: Sequence[Held]) -> None:
    """People arrive around the start, and most of them check out when they go; all of these have the same hours."""
    guests = [(one, guest) for one in held for guest in one.alone or _guests(scene, one)]
    scene.dice.shuffle(guests)
    scene.clock.set(held[0].plan.starts_at - timedelta(minutes=16))
    scene.clock.pace = timedelta(seconds=30)
    arrived = await scene.all(_check_in(one, guest, scene.dice.random()) for one, guest in guests)
    for (one, _), each in zip(guests, arrived, strict=True):
        one.came.append(each)
    scene.clock.set(held[0].plan.ends_at - timedelta(minutes=2))
    scene.clock.pace = timedelta(seconds=20)
    leaving = [(one, guest) for one, guest in guests if scene.dice.random() < 0.75]
    left = await scene.all(_check_out(one, guest) for one, guest in leaving)
    for (one, _), gone in zip(leaving, left, strict=True):
        one.left[gone.attendance_id] = gone


def _guests(scene: Scene, one: Held) -> list[Resident]:
    """Some come nearly always, most now and then, a third never; but for a newcomer."""
    community, count = one.community, one.programme.people + scene.dice.randrange(-1, 3)
    regulars = [resident for resident in community.residents[:REGULARS] if scene.dice.random() < 0.5][: count // 2]
    others = community.residents[REGULARS : len(community.residents) * 2 // 3]
    guests = regulars + scene.dice.sample(others, count - len(regulars))
    return guests if one.newcomer is None else [*guests, one.newcomer]


def _check_in(one: Held, guest: Resident, chance: float) -> Coroutine[Any, Any, attendance.Arrived]:
    """Mostly by card; some scan the poster themselves, a few are picked by name."""
    if chance < 0.2:
        return db.write(
            attendance.check_in_self, actor=db.Actor(guest.person_id), activity_id=one.activity_id, code=one.poster
        )
    facts: dict[str, Any] = {"activity_id": one.activity_id, "community_ids": (one.community.id,)}
    if chance < 0.27:
        return db.write(attendance.check_in_picked, actor=one.organiser, person_id=guest.person_id, **facts)
    return db.write(attendance.check_in, actor=one.organiser, code=guest.code, **facts)


def _check_out(one: Held, guest: Resident) -> Coroutine[Any, Any, attendance.Left]:
    return db.write(
        attendance.check_out,
        actor=one.organiser,
        activity_id=one.activity_id,
        code=guest.code,
        community_ids=(one.community.id,),
    )


async def confirm(scene: Scene, held: Sequence[Held]) -> None:
    """Confirm what was seen; a line now and then is struck off when the activity is closed."""
    facts = [(one, [line for line in one.lines() if scene.dice.random() < 0.98]) for one in held]
    done = await scene.all(
        db.write(
            confirming.confirm,
            actor=one.organiser,
            activity_id=one.activity_id,
            community_ids=(one.community.id,),
            lines=lines,
        )
        for one, lines in facts
    )
    await scene.all(
        db.write(confirming.finish, actor=one.organiser, activity_id=one.activity_id, community_ids=(one.community.id,))
        for one, confirmed in zip(held, done, strict=True)
        if not confirmed.is_closed
    )
