"""The plan that was adopted for a run, for who plans it anew: after a restart, for one."""

from collections.abc import Iterator

from orchestrator.core.scheduling.kept import Unfinished
from orchestrator.core.scheduling.outlook import Schedule, follow
from orchestrator.core.scheduling.survey import Survey


def adopted(run: Unfinished, seen: Survey) -> Iterator[Schedule]:
    """Yield what is left of it, if it is of this revision, and of all tasks and devices there."""
    fact = run.adopted
    if fact is None or fact.revision != run.revision:
        return
    place = {task.spec.id: number for number, task in enumerate(seen.tasks)}
    column = {machine.card.device: number for number, machine in enumerate(seen.machines)}
    where = {
        place[task]: column[device]
        for task, device in zip(fact.order, fact.devices, strict=True)
        if task in place and device in column
    }
    if len(where) == len(place):
        yield follow(seen.outlook, list(where), [where[number] for number in sorted(where)])
