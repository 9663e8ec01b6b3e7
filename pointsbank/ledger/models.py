"""Tables of points owned.

Six have no model, for Tortoise knows no key of two columns: ledger_lot_use, ledger_hold_lot, ledger_kind_run,
ledger_closing, ledger_outstanding and ledger_seal.
"""

from tortoise import fields
from tortoise.models import Model


class BookKind(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    code = fields.TextField()
    name = fields.TextField()
    unit = fields.TextField()
    decimals = fields.BigIntField()
    holder = fields.TextField()
    redeemable = fields.BooleanField()
    donatable = fields.BooleanField()
    transferable = fields.BooleanField()
    balance_max = fields.BigIntField(null=True)
    surplus = fields.TextField()
    base_points = fields.BigIntField()
    base_every = fields.TextField()
    base_redeemable = fields.BooleanField()
    spend_above = fields.BigIntField()
    reset_month = fields.BigIntField(null=True)
    reset_day = fields.BigIntField(null=True)
    carry_over = fields.BooleanField()
    notice_days = fields.BigIntField()
    version = fields.BigIntField()

    class Meta:
        table = "ledger_book_kind"


class Passbook(Model):
    id = fields.BigIntField(primary_key=True)
    number = fields.TextField()
    community_id = fields.BigIntField()
    kind_id = fields.BigIntField()
    person_id = fields.BigIntField(null=True)
    household_id = fields.BigIntField(null=True)
    opened_at = fields.DatetimeField()

    class Meta:
        table = "ledger_passbook"


class Account(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    passbook_id = fields.BigIntField(null=True)
    system = fields.TextField(null=True)
    balance = fields.BigIntField()
    held = fields.BigIntField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "ledger_account"


class Entry(Model):
    id = fields.BigIntField(primary_key=True)
    posting_key = fields.TextField()
    community_id = fields.BigIntField()
    kind = fields.TextField()
    effective_at = fields.DatetimeField()
    booked_at = fields.DatetimeField()
    actor_id = fields.BigIntField(null=True)
    member_id = fields.BigIntField(null=True)
    source_room = fields.TextField()
    source_kind = fields.TextField()
    source_id = fields.BigIntField()
    summary = fields.TextField()
    reason = fields.TextField()
    version_id = fields.BigIntField(null=True)
    reverses_id = fields.BigIntField(null=True)
    shortfall = fields.BigIntField(null=True)

    class Meta:
        table = "ledger_entry"


class Move(Model):
    id = fields.BigIntField(primary_key=True)
    entry_id = fields.BigIntField()
    source_id = fields.BigIntField()
    target_id = fields.BigIntField()
    points = fields.BigIntField()
    source_after = fields.BigIntField(null=True)
    target_after = fields.BigIntField(null=True)

    class Meta:
        table = "ledger_move"


class Lot(Model):
    id = fields.BigIntField(primary_key=True)
    account_id = fields.BigIntField()
    kind = fields.TextField()
    expires_on = fields.DateField()
    match_percent = fields.BigIntField(null=True)
    remaining = fields.BigIntField()
    held = fields.BigIntField()

    class Meta:
        table = "ledger_lot"


class Hold(Model):
    id = fields.BigIntField(primary_key=True)
    hold_key = fields.TextField()
    account_id = fields.BigIntField()
    points = fields.BigIntField()
    state = fields.TextField()
    overdue_at = fields.DatetimeField()
    source_room = fields.TextField()
    source_kind = fields.TextField()
    source_id = fields.BigIntField()
    member_id = fields.BigIntField(null=True)
    actor_id = fields.BigIntField(null=True)
    made_at = fields.DatetimeField()
    resolved_at = fields.DatetimeField(null=True)
    entry_id = fields.BigIntField(null=True)

    class Meta:
        table = "ledger_hold"


class Change(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    what = fields.TextField()
    name = fields.TextField()
    actor_id = fields.BigIntField(null=True)
    changed_at = fields.DatetimeField()
    content = fields.TextField()

    class Meta:
        table = "ledger_change"


class Budget(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    year = fields.BigIntField()
    programme = fields.TextField()
    account_id = fields.BigIntField()
    ceiling_points = fields.BigIntField(null=True)
    ceiling_cents = fields.BigIntField(null=True)
    cents_per_100 = fields.BigIntField(null=True)
    issued = fields.BigIntField()
    made_by = fields.BigIntField(null=True)
    made_at = fields.DatetimeField()

    class Meta:
        table = "ledger_budget"


class Period(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    month = fields.DateField()
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    upto = fields.DatetimeField()
    begun_by = fields.BigIntField(null=True)
    begun_at = fields.DatetimeField()
    closed_at = fields.DatetimeField(null=True)
    head = fields.TextField(null=True)

    class Meta:
        table = "ledger_period"


class Rate(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    from_day = fields.DateField()
    cents_per_100 = fields.BigIntField()
    book_kind = fields.TextField()
    set_by = fields.BigIntField(null=True)
    set_at = fields.DatetimeField()

    class Meta:
        table = "ledger_rate"


class Paper(Model):
    id = fields.BigIntField(primary_key=True)
    passbook_id = fields.BigIntField()
    book = fields.BigIntField()
    page = fields.BigIntField()
    row_number = fields.BigIntField()
    page_after = fields.BigIntField()
    last_move = fields.BigIntField()
    printed_at = fields.DatetimeField()

    class Meta:
        table = "ledger_paper"


class OpeningList(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    day = fields.DateField()
    expires_on = fields.DateField()
    made_by = fields.BigIntField()
    made_at = fields.DatetimeField()
    line_count = fields.BigIntField()
    points = fields.BigIntField()
    booked = fields.BigIntField()
    state = fields.TextField()
    approval_id = fields.BigIntField(null=True)

    class Meta:
        table = "ledger_opening_list"


class OpeningLine(Model):
    id = fields.BigIntField(primary_key=True)
    list_id = fields.BigIntField()
    position = fields.BigIntField()
    person_id = fields.BigIntField()
    household_id = fields.BigIntField(null=True)
    points = fields.BigIntField()
    remark = fields.TextField()
    live = fields.BooleanField()

    class Meta:
        table = "ledger_opening_line"


class Voucher(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    what = fields.TextField()
    from_id = fields.BigIntField(null=True)
    to_id = fields.BigIntField(null=True)
    reverses_id = fields.BigIntField(null=True)
    points = fields.BigIntField()
    expires_on = fields.DateField(null=True)
    reason = fields.TextField()
    note = fields.TextField()
    how = fields.TextField()
    member_id = fields.BigIntField(null=True)
    made_by = fields.BigIntField(null=True)
    made_at = fields.DatetimeField()
    state = fields.TextField()
    approval_id = fields.BigIntField(null=True)
    entry_id = fields.BigIntField(null=True)

    class Meta:
        table = "ledger_voucher"


class Gift(Model):
    id = fields.BigIntField(primary_key=True)
    voucher_id = fields.BigIntField()
    match_percent = fields.BigIntField()
    batch_id = fields.BigIntField()

    class Meta:
        table = "ledger_gift"


class Joining(Model):
    id = fields.BigIntField(primary_key=True)
    voucher_id = fields.BigIntField()
    approval_id = fields.BigIntField()

    class Meta:
        table = "ledger_joining"


class PastDay(Model):
    id = fields.BigIntField(primary_key=True)
    voucher_id = fields.BigIntField()
    day = fields.DateField()

    class Meta:
        table = "ledger_past_day"


class Gate(Model):
    id = fields.BigIntField(primary_key=True)
    kind_id = fields.BigIntField(unique=True)
    minutes = fields.BigIntField()

    class Meta:
        table = "ledger_gate"


class Bar(Model):
    id = fields.BigIntField(primary_key=True)
    passbook_id = fields.BigIntField(unique=True)
    barred_until = fields.DateField(null=True)
    gate_passed_on = fields.DateField(null=True)

    class Meta:
        table = "ledger_bar"


class Proposal(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    kind_id = fields.BigIntField(null=True)
    was = fields.BigIntField()
    settings = fields.TextField()
    made_by = fields.BigIntField()
    made_at = fields.DatetimeField()
    state = fields.TextField()
    approval_id = fields.BigIntField(null=True)

    class Meta:
        table = "ledger_proposal"
