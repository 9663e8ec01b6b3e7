"""The slip of an award, on the roll of this computer: the same words as on the screen, for who has no phone."""

from litestar import Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from pointsbank.awards import queries
from pointsbank.awards.routes_pieces import award_seen, by_whom, denomination_of, explained, particulars, state_of
from pointsbank.awards.rules import BASIS, REASONS, State
from pointsbank.people import queries as people
from pointsbank.people.access import Permission, Session, needs
from pointsbank.scoring import queries as scoring
from pointsbank.web import formats, printing
from pointsbank.web.handlers import get
from pointsbank.web.i18n import _, unit
from pointsbank.web.render import page


@get("/awards/{award_id:int}/slip", guards=[needs(Permission.SEE_AWARDS)])
async def slip(award_id: FromPath[int], session: NamedDependency[Session]) -> Response[str]:
    award = await award_seen(session, award_id)
    version = await scoring.version((award.community_id,), award.version_id)
    item, of = version.items[award.item_code], await denomination_of(award)
    names = await people.masked_names([award.person_id])
    roll = printing.Roll(printing.roll_of())
    roll.title(_("积分告知单"))
    roll.pair(_("谁做的"), names[award.person_id])
    roll.words(award.what)
    roll.words(f"{formats.iso_day(award.began_at)} {formats.clock(award.began_at)}")
    roll.rule()
    roll.words(_("按 {code} {name} 计分", code=item.code, name=item.name))
    roll.words(_(BASIS, name=version.table.name, number=version.number))
    for text, _note, points in explained(award.steps, of):
        roll.pair(text, points)
    roll.rule()
    rejected = award.state is State.REJECTED
    words = _("没有存入") if rejected else _("存入") if award.state is State.SETTLED else _("将存入")
    roll.total(words, f"{formats.signed(0 if rejected else award.points, of.decimals)} {unit(of)}")
    roll.pair(_("现在"), state_of(award))
    for label, said in await particulars(award, item, of):
        roll.words(_("{label}：{words}", label=label, words=said))
    for review in await queries.reviews(award):
        who, reason = by_whom(review), _(REASONS[review.reason]) if review.reason else ""
        passed = _("{who} 审核通过", who=who)
        said = _("{who} 退回：{reason}", who=who, reason=reason) if review.verdict == "rejected" else passed
        roll.pair(said, formats.iso_day(review.reviewed_at))
    roll.rule()
    roll.words(_("有疑问，请到社区说一声，或在手机上点“我有疑问”。分数不会因为提问减少。"))
    return page("awards/slip.html", award=award, roll=roll)


handlers = [slip]
