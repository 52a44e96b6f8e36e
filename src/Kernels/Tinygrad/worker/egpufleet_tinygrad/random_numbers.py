"""Random numbers without state, one for each (seed, index): the same as the C# engines draw."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_INCREMENT = 0x9E3779B97F4A7C15


def next_double(seed: int, index: int) -> float:
    """Uniform over [0, 1) with 53 bits, by two rounds of the SplitMix64 finaliser."""
    counter = (_mix((seed + _INCREMENT) & _MASK) + ((index & 0xFFFFFFFF) + 1) * _INCREMENT) & _MASK
    return (_mix(counter) >> 11) * (1.0 / (1 << 53))


def _mix(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
