"""Ids and jitter without chance: a counter-based hash of (seed, purpose, n)."""

from hashlib import blake2b

_SPAN = float(1 << 64)


def unit(seed: int, purpose: str, n: int) -> float:
    """Return a number in [0, 1), the same for the same arguments for ever."""
    digest = blake2b(f"{seed}|{purpose}|{n}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN


def identifier(seed: int, purpose: str, n: int) -> str:
    """Return an id in the form of a UUIDv4 (A2A asks for that of `Task.id`)."""
    h = blake2b(f"{seed}|{purpose}|{n}".encode(), digest_size=16).hexdigest()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"
