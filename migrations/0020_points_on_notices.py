"""Notices say of what kind their points are, and how they are written."""

from ._lib import HandWritten, sql


class Migration(HandWritten):
    dependencies = [("models", "0019_periods")]
    operations = [
        sql(
            "ALTER TABLE notices_notice ADD COLUMN book_kind TEXT NOT NULL DEFAULT 'points'",
            "ALTER TABLE notices_notice ADD COLUMN unit TEXT NOT NULL DEFAULT '分'",
            "ALTER TABLE notices_notice ADD COLUMN decimals WHOLE NOT NULL DEFAULT 0 CHECK (decimals BETWEEN 0 AND 2)",
        ),
    ]
