"""Tables of goods."""

from tortoise import fields
from tortoise.models import Model


class Good(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    outlet_id = fields.BigIntField()
    name = fields.TextField()
    unit = fields.TextField()
    barcode = fields.TextField()
    points = fields.BigIntField()
    monthly_max = fields.BigIntField(null=True)
    low_at = fields.BigIntField()
    stock = fields.BigIntField()
    state = fields.TextField()
    made_at = fields.DatetimeField()
    photo = fields.TextField()

    class Meta:
        table = "stock_good"


class StockLot(Model):
    id = fields.BigIntField(primary_key=True)
    good_id = fields.BigIntField()
    source = fields.TextField()
    donor = fields.TextField()
    unit_value_cents = fields.BigIntField()
    best_before = fields.DateField()
    quantity = fields.BigIntField()
    remaining = fields.BigIntField()
    received_at = fields.DatetimeField()

    class Meta:
        table = "stock_lot"


class StockMove(Model):
    id = fields.BigIntField(primary_key=True)
    good_id = fields.BigIntField()
    lot_id = fields.BigIntField()
    quantity = fields.BigIntField()
    kind = fields.TextField()
    source_id = fields.BigIntField()
    moved_at = fields.DatetimeField()

    class Meta:
        table = "stock_move"


class Photo(Model):
    """`thumbnail` is what lists show; both are JPEG of our own making."""

    id = fields.BigIntField(primary_key=True)
    token = fields.TextField()
    good_id = fields.BigIntField()
    picture = fields.BinaryField()
    thumbnail = fields.BinaryField()
    added_at = fields.DatetimeField()

    class Meta:
        table = "stock_photo"


class Count(Model):
    id = fields.BigIntField(primary_key=True)
    community_id = fields.BigIntField()
    outlet_id = fields.BigIntField()
    state = fields.TextField()
    opened_by = fields.BigIntField(null=True)
    opened_at = fields.DatetimeField()
    ended_by = fields.BigIntField(null=True)
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "stock_count"


class CountLine(Model):
    """`booked` is what the books said when `counted` was written down."""

    id = fields.BigIntField(primary_key=True)
    count_id = fields.BigIntField()
    good_id = fields.BigIntField()
    counted = fields.BigIntField(null=True)
    booked = fields.BigIntField(null=True)
    reason = fields.TextField()

    class Meta:
        table = "stock_count_line"


class Loss(Model):
    id = fields.BigIntField(primary_key=True)
    good_id = fields.BigIntField()
    lot_id = fields.BigIntField()
    quantity = fields.BigIntField()
    reason = fields.TextField()
    person_id = fields.BigIntField(null=True)
    written_at = fields.DatetimeField()

    class Meta:
        table = "stock_loss"
