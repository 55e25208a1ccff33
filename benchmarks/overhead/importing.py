"""The cost of `import orchestrator`, beyond that of a bare interpreter."""

import statistics
import subprocess
import sys
from collections.abc import Iterator

import psutil

from benchmarks.frame import Figures, Item, Options, Progress, Row

_CHILD = "import sys, time; {statement}; print(time.process_time(), flush=True); sys.stdin.read()"


def measure(options: Options) -> Iterator[Item]:
    """Measure `import.cpu_s` and `import.rss_mb`: medians over fresh interpreters."""
    repeats = 3 if options.quick else 9
    import_cost("import orchestrator")  # leaves the compiled files behind
    cpu, rss = [], []
    for number in range(repeats):
        yield Progress(number / repeats, "import orchestrator")
        bare_cpu_s, bare_rss_mb = import_cost("pass")
        cpu_s, rss_mb = import_cost("import orchestrator")
        cpu.append(cpu_s - bare_cpu_s)
        rss.append(rss_mb - bare_rss_mb)
        yield Row({"part": "import", "cpu_s": cpu[-1], "rss_mb": rss[-1]})
    yield Figures(
        {"import.cpu_s": statistics.median(cpu), "import.rss_mb": statistics.median(rss)}
    )


def import_cost(statement: str) -> tuple[float, float]:
    """Return CPU seconds and resident MiB of a fresh interpreter after `statement`."""
    with subprocess.Popen(
        [sys.executable, "-c", _CHILD.format(statement=statement)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        cpu_s = float(child.stdout.readline())
        rss_mb = psutil.Process(child.pid).memory_info().rss / 2**20
        child.communicate()
    return cpu_s, rss_mb
