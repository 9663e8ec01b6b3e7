"""Roles, what each may do, and where each may be granted."""

from enum import StrEnum


class Role(StrEnum):
    COUNTER_STAFF = "counter_staff"
    EVENT_ORGANISER = "event_organiser"
    GRID_WORKER = "grid_worker"
    COMMUNITY_ADMIN = "community_admin"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    STREET_ADMIN = "street_admin"
    PANEL_MEMBER = "panel_member"  # residents may be named too: they vote on their own phones


class Permission(StrEnum):
    OWN = "own"  # a resident's own pages
    WORK = "work"  # any staff
    REDEEM = "redeem"
    KEEP_STOCK = "keep_stock"
    RUN_EVENTS = "run_events"
    CHECK_IN_OTHERS = "check_in_others"
    SEE_PEOPLE = "see_people"
    REGISTER_PEOPLE = "register_people"
    SETTLE_PEOPLE = "settle_people"
    ISSUE_CARDS = "issue_cards"  # by the sheet; one card at a door comes with registering
    IMPORT_PEOPLE = "import_people"
    EDIT_SCORING = "edit_scoring"
    PUBLISH_SCORING = "publish_scoring"
    SEE_SCORING = "see_scoring"
    KEEP_TEMPLATES = "keep_templates"  # scoring tables that a street or district advises
    REVIEW_AWARDS = "review_awards"
    SEE_AWARDS = "see_awards"
    MAKE_CASES = "make_cases"  # findings that may end in a deduction
    CONFIRM_CASES = "confirm_cases"
    RECORD_OBJECTIONS = "record_objections"
    RULE_OBJECTIONS = "rule_objections"
    SEE_NOTICES = "see_notices"
    MANAGE_STAFF = "manage_staff"
    MANAGE_PLACES = "manage_places"
    SEE_OVERVIEW = "see_overview"
    SEE_LEDGER = "see_ledger"
    PRINT_PASSBOOKS = "print_passbooks"
    SEE_TODO = "see_todo"
    SEE_BOOKS = "see_books"  # budgets, months, what is outstanding: sums, never a person
    KEEP_BOOKS = "keep_books"
    OPEN_BOOKS = "open_books"  # lists of opening balances: one makes, another confirms
    SIT_ON_PANELS = "sit_on_panels"  # the page of a login; who may vote on what, the panel's seats say
    MOVE_POINTS = "move_points"  # transfers, donations, grants, adjustments, reversals: where it matters by two


_P = Permission

RESIDENT = frozenset({_P.OWN})

# Who serves at a counter neither registers people, issues cards nor counts the stock; who does those does not serve.
# Whoever oversees reads, and changes nothing.
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.COUNTER_STAFF: frozenset({_P.WORK, _P.REDEEM, _P.SEE_NOTICES, _P.SEE_SCORING}),
    Role.EVENT_ORGANISER: frozenset(
        {_P.WORK, _P.RUN_EVENTS, _P.CHECK_IN_OTHERS, _P.SEE_SCORING, _P.SEE_AWARDS, _P.SEE_NOTICES, _P.SEE_TODO}
    ),
    Role.GRID_WORKER: frozenset(
        {
            _P.WORK,
            _P.CHECK_IN_OTHERS,
            _P.SEE_PEOPLE,
            _P.REGISTER_PEOPLE,
            _P.PRINT_PASSBOOKS,
            _P.SEE_SCORING,
            _P.SEE_AWARDS,
            _P.MAKE_CASES,
            _P.RECORD_OBJECTIONS,
            _P.SEE_NOTICES,
            _P.SEE_TODO,
        }
    ),
    Role.COMMUNITY_ADMIN: frozenset(_P) - {_P.OWN, _P.REDEEM, _P.SEE_OVERVIEW, _P.KEEP_TEMPLATES, _P.SIT_ON_PANELS},
    Role.SUPERVISOR: frozenset({_P.WORK, _P.SEE_OVERVIEW, _P.SEE_BOOKS, _P.SEE_SCORING, _P.SEE_NOTICES}),
    Role.AUDITOR: frozenset(
        {_P.WORK, _P.SEE_OVERVIEW, _P.SEE_BOOKS, _P.SEE_SCORING, _P.SEE_AWARDS, _P.SEE_NOTICES, _P.SEE_LEDGER}
    ),
    Role.STREET_ADMIN: frozenset({_P.WORK, _P.SEE_SCORING, _P.SEE_NOTICES, _P.KEEP_TEMPLATES}),
    Role.PANEL_MEMBER: frozenset({_P.WORK, _P.SIT_ON_PANELS}),
}

_WIDE = ("district", "street")

GRANTED_AT: dict[Role, tuple[str, ...]] = {
    Role.COUNTER_STAFF: ("community",),
    Role.EVENT_ORGANISER: ("community",),
    Role.GRID_WORKER: ("community",),
    Role.COMMUNITY_ADMIN: ("community",),
    Role.SUPERVISOR: _WIDE,
    Role.AUDITOR: ("community", *_WIDE),
    Role.STREET_ADMIN: _WIDE,
    Role.PANEL_MEMBER: ("community",),
}
