"""`make soak`: days of the world on a sandbox of its own, with faults that a seed chooses, compared at the end."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox import lifecycle
from sandbox.home import Home
from sandbox.interrupts import interrupt
from soak.ground import Ground
from soak.plan import Extent
from soak.soak import Soak
from support.river import River

HISTORY_DAYS = 10
_SHOWN = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument(
        "--seed", type=int, help="which faults, when, of whom; by default chance decides, and it is said"
    )
    parser.add_argument("--profiles", type=int, default=100, help="ad accounts")
    parser.add_argument("--days", type=int, default=3, help="days of the world, each with a daily run")
    parser.add_argument("--hourly", type=int, default=6, help="hourly runs of a fifth of the ad accounts")
    parser.add_argument("--keep", action="store_true", help="leave the sandbox's files, its logs among them")
    asked = parser.parse_args(arguments)
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    extent = Extent(asked.profiles, asked.days, max(1, asked.profiles // 5), asked.hourly)
    say(f"seed {seed}: {extent.profiles} ad accounts, {extent.days} days, {extent.hourly_runs} hourly runs")
    folder = Path(tempfile.mkdtemp(prefix="adweir-soak-"))
    home, began = Home(folder / "home"), time.monotonic()
    lifecycle.prepare_crowd(home, extent.profiles)
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, interrupt)
    river = River(home)
    try:
        river.up("--pace", "sandbox", "--set", f"HistoryDays={HISTORY_DAYS}")
        verdict = Soak(Ground(river), seed, extent, HISTORY_DAYS, say).run()
    finally:
        lifecycle.down(home, abandon=True)
    say("\n".join(verdict.lines))
    for line in verdict.wrong[:_SHOWN]:
        say(f"  {line}")
    if len(verdict.wrong) > _SHOWN:
        say(f"  and {len(verdict.wrong) - _SHOWN:,} more")
    took = f"{(time.monotonic() - began) / 60:.1f} minutes"
    say(f"{took}: {f'{len(verdict.wrong):,} things are wrong' if verdict.wrong else 'everything is as it should be'}")
    if verdict.wrong or asked.keep:
        say(f"again: make soak SEED={seed} PROFILES={extent.profiles} DAYS={extent.days} HOURLY={extent.hourly_runs}")
        say(f"logs: {home.path}/logs")
    else:
        shutil.rmtree(folder)
    return int(bool(verdict.wrong))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
