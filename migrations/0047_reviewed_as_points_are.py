"""Awards of no points once settled without their reviews, whatever was left behind; nobody is waited for there.

What they left has been counted on since, so they stay as they are: with the reviews that they had.
"""

from ._lib import HandWritten, sql

UNREVIEWED = """
UPDATE awards_award SET next_role = '', chain = CASE reviews_given WHEN 0 THEN '[]' ELSE '["organiser"]' END
 WHERE state = 'settled' AND points = 0 AND next_role <> ''
"""


class Migration(HandWritten):
    dependencies = [("models", "0046_kept_keys")]
    operations = [sql(UNREVIEWED)]
