"""Tables of points owned."""

from tortoise import fields
from tortoise.models import Model


class Passbook(Model):
    id = fields.BigIntField(primary_key=True)
    number = fields.TextField()
    community_id = fields.BigIntField()
    person_id = fields.BigIntField(null=True)
    household_id = fields.BigIntField(null=True)
    decimals = fields.BigIntField()
    opened_at = fields.DatetimeField()

    class Meta:
        table = "ledger_passbook"


class Account(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    passbook_id = fields.BigIntField(null=True)
    system = fields.TextField(null=True)
    balance = fields.BigIntField()

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
    entry_id = fields.BigIntField()
    points = fields.BigIntField()
    remaining = fields.BigIntField()
    expires_on = fields.DateField()

    class Meta:
        table = "ledger_lot"


class LotUse(Model):
    id = fields.BigIntField(primary_key=True)
    lot_id = fields.BigIntField()
    entry_id = fields.BigIntField()
    points = fields.BigIntField()

    class Meta:
        table = "ledger_lot_use"


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
