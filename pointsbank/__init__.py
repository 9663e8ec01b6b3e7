"""Pointsbank (积分银行): a points bank for Chinese neighbourhoods. The map of rooms is in README.md."""
