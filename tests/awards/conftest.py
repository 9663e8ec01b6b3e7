"""Neighbours who earn points, for the tests of this room."""

from tests.awards.neighbours import families, neighbours

__all__ = ["families", "neighbours"]
