"""What keeps a passbook from redeeming, as every page says it: to its holder and to staff in the same words."""

from datetime import date

import msgspec

from pointsbank.awards import queries_cases as cases
from pointsbank.awards import queries_gate as gates
from pointsbank.awards.rules_cases import Case
from pointsbank.awards.rules_gate import Barred, Gate, hours_served, hours_wanted, refusals
from pointsbank.ledger.queries import Account
from pointsbank.people.access import Permission, Session
from pointsbank.web.i18n import N_, _, t, with_words

SINCE = N_("从告知书送达的 {since}算起。")
SINCE_AND_UNTIL = N_("从告知书送达的 {since}算起，到 {until}为止。")
SERVED = N_("服务了 {served} 小时，要满 {wanted} 小时。")
SERVED_TOGETHER = N_("全家服务了 {served} 小时，要满 {wanted} 小时。")


class Behind(msgspec.Struct, frozen=True):
    """What a reason comes from, and where its reader goes on; no address where there is nothing that they may open."""

    said: str
    url: str = ""
    label: str = ""


class Shut(msgspec.Struct, frozen=True):
    said: str
    behind: list[Behind]


async def why_shut(session: Session, account: Account, today: date) -> list[Shut]:
    """Every reason why an account redeems nothing today, for whoever may see the account; empty where it redeems."""
    gate = await gates.gate(None, account)
    found = []
    for refusal in refusals(account.barred_until, gate):
        if isinstance(refusal, Barred):
            carried_out = await cases.barring(account.passbook_id, today)
            behind = [await _finding(session, case, account.barred_until) for case in carried_out]
        else:
            assert gate is not None
            behind = [_service(session, gate)]
        found.append(Shut(t(refusal), behind))
    return found


async def _finding(session: Session, case: Case, told: date | None) -> Behind:
    """The months count from the letter; the day that was `told` is not said again.

    What was found stands behind the link, for those who may read it there.
    """
    assert case.told_on is not None
    assert case.barred_until is not None
    said = SINCE if case.barred_until == told else SINCE_AND_UNTIL
    said = with_words(said, since=case.told_on.isoformat(), until=case.barred_until.isoformat())
    url = f"/awards/cases/{case.id}"
    if session.kind == "resident":
        is_theirs = await cases.concerns(None, case, session.person_id)
        return Behind(said, url, _("看告知书，看怎么补救")) if is_theirs else Behind(said)
    if session.may(Permission.MAKE_CASES) and case.community_id in session.community_ids:
        rule = await cases.rule_for(None, case)
        return Behind(said, url, _("{n} 号：{name}", n=case.id, name=f"{rule.code} {rule.name}"))
    return Behind(said)


def _service(session: Session, gate: Gate) -> Behind:
    hours = {"served": hours_served(gate.served), "wanted": hours_wanted(gate.wanted)}
    said = _(SERVED_TOGETHER if gate.is_household else SERVED, **hours)
    return Behind(said, "/events", _("看看活动")) if session.kind == "resident" else Behind(said)
