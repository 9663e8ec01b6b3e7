"""Phones and codes in the furnished world: what whoever signs in there by has in hand."""

from typing import Any

from pointsbank.kit import crypto, db, totp
from pointsbank.kit.db import NOBODY
from pointsbank.people import actions_phones, actions_second, sealed
from tests.changes import STRANGER
from tests.world import World


async def phones(world: World, made: Any) -> None:
    own = made.own
    made.cookies[STRANGER], made.actors[STRANGER] = "", NOBODY
    card = await db.row("SELECT id, generation FROM people_card WHERE person_id = ?", own["other_id"])
    own["slip_token"], own["slip_digits"] = sealed.activation_token(*card), sealed.typed_activation(*card)
    own["pairing_digits"] = await _pairing("a-phone-that-shows-its-digits")
    own["paired_phone"] = "a-phone-that-was-paired"
    digits = actions_phones.pairing_digest(await _pairing(own["paired_phone"]))
    await db.write(actions_phones.finish_pairing, digits=digits, person_id=own["leaver_id"])
    await _second_step(own["colleague_id"], own["colleague_session_id"], world)


async def _pairing(token: str) -> str:
    """The digits on the screen of a phone that is nobody's yet."""
    digest = crypto.token_digest(token)
    return sealed.pairing_digits(await db.write(actions_phones.start_pairing, old_device=None, new_device=digest))


async def _second_step(person_id: int, session_id: int, world: World) -> None:
    secret = totp.new_secret()
    await db.write(actions_second.begin, person_id=person_id, secret=sealed.seal_second_secret(person_id, secret))
    code = totp.code(secret, totp.step_of(world.clock.now()))
    await db.write(actions_second.confirm, person_id=person_id, code=code, session_id=session_id)
