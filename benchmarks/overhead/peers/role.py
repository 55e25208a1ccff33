"""A peer in a process of its own: `python -m benchmarks.overhead.peers.role SETTINGS`.

It says "ready", then answers each line on its standard input, `[shape, tasks]`, with the seconds
that the run took. It ends when its input does. Whatever the peer prints goes to standard error.
"""

import gc
import importlib
import json
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.overhead.peers import programs
from benchmarks.overhead.peers.port import Graph, Peer, Prepare


def seconds(prepare: Prepare, graph: Graph) -> float:
    """Run a graph and return how long it took.

    Raises:
        RuntimeError: a result is missing or wrong.
    """
    go = prepare(graph)
    gc.collect()  # what was before is not this run's cost
    began = time.perf_counter()
    total = go()
    took_s = time.perf_counter() - began
    if total != graph.total:
        raise RuntimeError(f"{graph}: the results add up to {total}, not to {graph.total}")
    return took_s


def main(settings: str) -> None:
    """Play the peer `module:function` of the settings (JSON)."""
    fields = json.loads(settings)
    folder = Path(fields["folder"])
    with ExitStack() as stack:
        answers = stack.enter_context(os.fdopen(os.dup(1), "w", buffering=1))
        os.dup2(2, 1)
        if fields["redis"]:
            os.environ[programs.URL] = stack.enter_context(programs.redis(folder))
        module, _, function = fields["peer"].partition(":")
        peer: Peer = getattr(importlib.import_module(module), function)
        prepare = stack.enter_context(peer(folder))
        answers.write("ready\n")
        for line in sys.stdin:
            answers.write(f"{seconds(prepare, Graph(*json.loads(line)))}\n")


if __name__ == "__main__":
    main(sys.argv[1])
