"""`make proofs`: what is promised, tried at length; one table in the end, and exit code 1 if anything failed.

python -m tests.proofs [--seed N] [--quick]
"""

import argparse
import os
import random
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.proofs.listed import PROOFS, Proof

TOP = Path(__file__).resolve().parents[2]
SEEDS_APART = 1_000_000  # the oracle's next database has the next seed
HEADS = ("promise", "how tried", "how often", "result", "seconds")


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def try_tests(proof: Proof, seeds: list[int], env: dict[str, str]) -> bool:
    """Once for each seed, all at the same time. A skipped test proves nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *proof.tests]

    def tried(seed: int) -> bool:
        named = dict.fromkeys(("PB_CRASH_SEED", "PB_FAULT_SEED", "PB_MACHINE_SEED"), str(seed))
        given = {**os.environ, **named, **env}
        done = subprocess.run(command, cwd=TOP, env=given, stdout=subprocess.PIPE, text=True, check=False)
        is_proven = done.returncode == 0 and " skipped" not in done.stdout
        if not is_proven:
            sys.stderr.write(done.stdout)
        return is_proven

    with ThreadPoolExecutor(len(seeds)) as side_by_side:
        return all(list(side_by_side.map(tried, seeds)))


def attempt(proof: Proof, seed: int, *, quick: bool) -> bool:
    if proof.run is None:
        seeds = [seed + SEEDS_APART * number for number in range(1 if quick else proof.at_once)]
        return try_tests(proof, seeds, proof.quick_env if quick else proof.env)
    try:
        proof.run(seed, quick)
    except Exception:  # noqa: BLE001  whatever it is, the promise was not kept
        traceback.print_exc()
        return False
    return True


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.proofs", description="Try at length what is promised.")
    asked.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**9), help="repeats a run")
    asked.add_argument("--quick", action="store_true", help="the short forms, in a few minutes")
    given = asked.parse_args()
    say(f"seed {given.seed}")
    rows, chance = [], random.Random(given.seed)
    for proof in PROOFS:
        seed = chance.randrange(10**9)
        say(f"… {proof.promise}  {proof.tried}  (seed {seed})")
        began = time.monotonic()
        is_kept = attempt(proof, seed, quick=given.quick)
        passed = f"{time.monotonic() - began:.0f}"
        often = proof.quick if given.quick else proof.often
        rows.append((proof.promise, proof.tried, often, "kept" if is_kept else f"BROKEN (seed {seed})", passed))
    show(rows)
    return int(any(row[3] != "kept" for row in rows))


def show(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in [HEADS, *rows]) for column in range(len(HEADS))]
    for row in [HEADS, tuple("-" * width for width in widths), *rows]:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
