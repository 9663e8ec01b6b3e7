"""Passwords asked for at the shell, or drawn."""

import secrets

import click

from pointsbank.kit import crypto

# No letters that look alike on paper or sound alike on the telephone.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_password() -> str:
    """Sixty random bits in groups that can be read out."""
    letters = [secrets.choice(LETTERS) for _ in range(12)]
    return "-".join("".join(letters[start : start + 4]) for start in (0, 4, 8))


def ask_password(login: str, *, generate: bool) -> str:
    """Ask twice, or make one that is shown once and has to be changed at the first sign-in."""
    if generate:
        return new_password()
    while True:
        password: str = click.prompt("密码（至少 8 个字符）", hide_input=True, confirmation_prompt="再输一次")
        if not crypto.weak_password(password, login):
            return password
        click.echo("这个密码太简单。至少 8 个字符，不要用登录名、一串相同或连续的数字。", err=True)
