"""Passwords hashed with little memory: a tenth of a second for each sign-in is what tests would wait for."""

from dataclasses import replace

from argon2 import PasswordHasher

from pointsbank.kit import crypto

MEMORY_KIB = 256
dear = crypto._hasher


def cheap(cost: crypto.PasswordCost) -> PasswordHasher:
    return dear(replace(cost, memory_kib=min(cost.memory_kib, MEMORY_KIB)))
