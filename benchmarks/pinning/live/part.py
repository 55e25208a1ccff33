"""The live part of the benchmark, as one part of it."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from benchmarks.frame import BenchmarkError, Item, Options
from benchmarks.pinning.live import lone_host, race
from benchmarks.roll_call import MissingError
from benchmarks.site import cause
from benchmarks.supervisor import EndedError
from protocol.errors import TransportError


async def measure(options: Options) -> AsyncIterator[Item]:
    """Race with and without pinning, then leave a device alone.

    Raises:
        BenchmarkError: a program could not be started, or ended by itself.
    """
    root = Path(tempfile.mkdtemp(prefix="muster-pinning-"))
    try:
        async for item in race.race(root, options):
            yield item
        async for item in lone_host.measure(root):
            yield item
    except (EndedError, MissingError, TransportError, ExceptionGroup) as error:
        raise BenchmarkError(f"{cause(error)}; logs and journal are in {root}") from error
    except asyncio.CancelledError:
        shutil.rmtree(root)
        raise
    shutil.rmtree(root)
