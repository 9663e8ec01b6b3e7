"""A version of a scoring table; a draft is its editor, with its latest trial run beside it."""

from datetime import date
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from pointsbank.kit.clock import Clock, local_day
from pointsbank.kit.settings import Settings
from pointsbank.ledger import queries_kinds as kinds
from pointsbank.ledger.rules import MAIN
from pointsbank.people.access import Permission, Session, needs
from pointsbank.reports import trial_runs
from pointsbank.reports.routes_trial import MONTHS_AT_FIRST, budget_of, gone_on, movers
from pointsbank.reports.trial_runs import Run
from pointsbank.scoring import queries, routes_editor, routes_life, rules, rules_warnings
from pointsbank.scoring import routes as scoring
from pointsbank.scoring.queries import Version
from pointsbank.web import forms
from pointsbank.web.handlers import get, post
from pointsbank.web.i18n import with_words
from pointsbank.web.render import page

MOVERS_SHOWN = 3


@get("/scoring/versions/{version_id:int}", guards=[needs()])
async def version(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[str]:
    """A version; a draft is shown to those who may edit, as the editor."""
    found = await routes_life.version_of(session, version_id)
    if found.state != "draft":
        return await scoring.shown(session, found.community_id, found)
    shown = await routes_editor.grid(found, clock, only_changes=request.query_params.get("only") == "changes")
    return await _editor(found, shown, clock, settings)


@post("/scoring/versions/{version_id:int}", guards=[needs(Permission.EDIT_SCORING)])
async def save(
    version_id: FromPath[int],
    request: Request[Any, Any, Any],
    session: NamedDependency[Session],
    clock: NamedDependency[Clock],
    settings: NamedDependency[Settings],
) -> Response[str] | Redirect:
    """The room of the tables keeps the cells; what it refuses is shown with the trial run still beside it."""
    form = await forms.read(request, routes_editor.GridForm)
    draft = await queries.version(session.community_ids, version_id)
    refused = await routes_editor.keep(draft, form, session.actor, clock)
    if refused is None:
        return Redirect(f"/scoring/versions/{version_id}", status_code=303)
    status = 400 if draft.state == "draft" else rules.NotADraft.kind.status
    return await _editor(draft, refused, clock, settings, status=status)


async def _editor(
    draft: Version, shown: dict[str, Any], clock: Clock, settings: Settings, *, status: int = 200
) -> Response[str]:
    run = trial_runs.look(settings, draft.community_id, clock.now())
    if run is not None and run.order.version_id != draft.id and not run.is_running:
        run = None
    months = run.order.months if run else MONTHS_AT_FIRST
    tried = await _tried(draft, run, local_day(clock.now()))
    return page("reports/draft.html", status=status, **shown, run=run, months=months, **tried)


async def _tried(draft: Version, run: Run | None, today: date) -> dict[str, Any]:
    """The main figures of a run of this draft that has come to its end."""
    outcome = run.answer.outcome if run is not None and run.order.version_id == draft.id else None
    if run is None or outcome is None:
        return {"outcome": None}
    of = await kinds.main(None, draft.community_id)
    budget = await budget_of(draft.community_id, today)
    gone = gone_on(outcome, budget)[1]
    return {
        "outcome": outcome,
        "has_changed": run.order.rules != trial_runs.rules_of(draft.table),
        "of": of,
        "main": outcome.totals[MAIN],
        "budget": budget,
        "gone": gone,
        "gone_said": [one.said(with_words) for one in rules_warnings.budget_gone(gone)],
        "movers": await movers(outcome.gains[:MOVERS_SHOWN] + outcome.losses[:MOVERS_SHOWN]),
    }


handlers: list[Any] = [version, save]
