"""A finding carries what its deduction counts beside the number: a level, or a value within a range."""

from ._lib import HandWritten, sql


class Migration(HandWritten):
    dependencies = [("models", "0039_sealed_words")]
    operations = [sql("ALTER TABLE awards_case ADD COLUMN facts TEXT NOT NULL DEFAULT ''")]
