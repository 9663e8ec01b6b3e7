"""What the pages of an award share: who may see it, and its words."""

from pointsbank.awards import queries
from pointsbank.awards.queries import AwardView, ReviewView
from pointsbank.awards.rules import EVIDENCE_WORDS, STATE_WORDS, State
from pointsbank.kit.errors import NotFound
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules_kinds import Denomination
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session
from pointsbank.scoring import rules
from pointsbank.scoring.rules import WORDS, Item, Step, evidence_wanted
from pointsbank.web import formats
from pointsbank.web.i18n import _, amount


def explained(steps: list[Step], of: Denomination) -> list[tuple[str, str, str]]:
    """Each step of a calculation in words, a note, and the points that are left after it."""
    words = [rules.told(step, lambda points: amount(points, of), _) for step in steps]
    return [(said, "", formats.points(step.points, of.decimals)) for said, step in zip(words, steps, strict=True)]


async def denomination_of(award: AwardView) -> Denomination:
    return (await kinds.denominations_of([award.passbook_id]))[award.passbook_id]


def state_of(award: AwardView) -> str:
    if award.state == State.SETTLED and not award.points:
        return _("不记分")
    return _("等预算") if award.waits_for_budget is not None else _(STATE_WORDS[award.state])


def by_whom(review: ReviewView) -> str:
    """Who took a step of the chain; of a panel only how many."""
    role = _(WORDS[review.role])
    if review.panel is None:
        return f"{role} {review.reviewer}"
    return _(
        "{role} {members} 人中 {agreed} 人同意", role=role, members=review.panel.members, agreed=review.panel.agreed
    )


def evidence_of(text: str) -> str:
    return _(EVIDENCE_WORDS[text]) if text in EVIDENCE_WORDS else text


async def particulars(award: AwardView, item: Item, of: Denomination) -> list[tuple[str, str]]:
    """What an award was given on, and who wrote it down: the same at the desk, on the phone and on paper."""
    told = [
        (_("存折"), of.name),
        (_("凭据"), evidence_of(award.evidence)),
        (_("要的凭据"), evidence_wanted(item, _)),
        (_("谁能申报"), _("、").join(_(WORDS[one]) for one in item.submit)),
    ]
    if award.recorded_by is not None:
        told.append((_("谁记下的"), (await people.masked_names([award.recorded_by]))[award.recorded_by]))
    if award.clipped:
        told.append((_("少记"), amount(award.clipped, of)))
    return told


async def award_seen(session: Session, award_id: int) -> AwardView:
    """The award, where the reader may see it: a resident's own, or one of the community's staff."""
    if session.kind == "resident":
        return await queries.award_for_resident(session.person_id, award_id)
    if not session.may(Permission.SEE_AWARDS):
        raise NotFound
    return await queries.award_for_staff(session.community_ids, award_id)
