"""Numbers that look random but follow from a name alone: splitmix64 over the hash of a key."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from operator import sub

_MASK = (1 << 64) - 1


@lru_cache(maxsize=8192)
def seed_of(*parts: object) -> int:
    """A name's 64-bit seed; equal parts give equal seeds in every process."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def mix(seed: int, salt: int) -> int:
    """One splitmix64 step: a well-spread 64-bit number for (seed, salt)."""
    z = (seed + (salt + 1) * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def between(seed: int, salt: int, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + mix(seed, salt) % (high - low + 1)


def share(total: int, weights: list[int]) -> list[int]:
    """Split a whole number by weights into parts that sum to it (differences of the rounded running share)."""
    if not total:
        return [0] * len(weights)
    whole = sum(weights)
    upto = [total * running // whole for running in accumulate(weights)]
    return list(map(sub, upto, [0, *upto]))
