"""A seed is enough to see a world again, to the line."""

import os
import subprocess
import sys


def replayed(seed, hash_seed):
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", "simulate", "--seed", str(seed), "--trace"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
    )
    assert done.returncode == 0, done.stdout[-500:] + done.stderr
    return done.stdout.splitlines()


def test_same_seed_gives_the_same_trace_under_any_hash_seed():
    one, other = replayed(11, 0), replayed(11, 4242)

    assert len(one) > 100
    assert one == other
