"""The engine's own constants: durations in seconds, and bounds. Settings may change them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """What concerns the fleet and all runs, not one task."""

    lost_after_s: float = 7.0  # three missed heartbeats of 2 s, and a little for the network
    lease_s: float = 20.0  # an attempt outlives a broker restart and a short partition
    repeat_offer_s: float = 2.0  # first repeat of an unanswered offer; doubles each time
    repeat_cancel_s: float = 2.0
    cancel_s: float = 20.0  # a device that does not confirm a cancel by then is given up on
    query_s: float = 5.0  # first question about an unknown outcome; doubles each time
    settle_s: float = 0.5  # between looks for devices to expand over, as a fleet is switched on
    unmatched_s: float = 5.0  # how long a task may wait for a first device that could take it
    backoff_s: float = 0.5  # first delay before another try; doubles each time, ± 20 %
    backoff_max_s: float = 30.0
    retry_after_s: float = 3600.0  # how long a device may ask to be left alone: as long as a queue
    hedge_budget: float = 0.05  # hedged work at most, as a share of what a run has done; 0: none
    hedge_margin_s: float = 0.2  # what a hedge must save at least: the messages it takes, and more
    improve_cpu: float = 0.0  # seconds of a core, for each second of a run, on a better plan
    rejections: int = 16  # refusals in a row before a task counts as failed
    pin_cap_s: float = 3600.0  # nothing stays warm longer unused; 0: nothing is kept at all
    keep_s: float = 7 * 86400.0  # an ended run, for whoever asks for its result
    keep_runs: int = 1000  # ended runs kept at most
    devices: int = 10_000  # known at most, some 5 kB each: who reaches the broker announces many
    keep_tasks: int = 100_000  # tasks of ended runs kept at most, about 200 MB; the last run apart
