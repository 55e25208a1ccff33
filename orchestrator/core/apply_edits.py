"""Committing a draft that was found acceptable."""

from collections.abc import Iterable, Iterator

from orchestrator.core.change import Change
from orchestrator.core.facts import EditAccepted, RunStatus
from orchestrator.core.graph import Draft, rerank
from orchestrator.core.lifecycle import FINAL, TaskCause, TaskState
from orchestrator.core.moves import enter, move, queue
from orchestrator.core.state import Run, State, Task
from protocol.types import TaskId


def accept_edit(state: State, fact: EditAccepted) -> None:
    """Change the graph as the batch says; what runs or is finished stays as it is (I7)."""
    run = state.runs[fact.run]
    drafted, run.change = run.change, None
    if drafted is None or drafted.edits is not fact.edits:
        drafted = Draft(run, fact.edits)  # from the journal, not judged in this step
    edited = [*drafted.incoming, *_predecessors(run, drafted.incoming)]
    run.revision = fact.revision
    if run.status is RunStatus.PLANNING:
        run.status = RunStatus.RUNNING
    for name, spec in drafted.specs.items():
        if spec is None:
            _remove(state, run, name)
            continue
        if name in run.tasks:
            run.tasks[name].spec = spec
        else:
            run.tasks[name] = Task(run.id, spec, run.created)
            run.created += 1
            run.unfinished += 1
        run.tasks[name].cost_s = state.estimates.reference(spec.skill, spec.estimate_s)
    for name in drafted.incoming:
        if name in run.tasks:
            _rewire(state, run, name, drafted)
            enter(state, run, run.tasks[name])
    reranked = rerank(run, edited)
    waiting = [task for task in reranked if task.demand is not None]
    for task in sorted(waiting, key=lambda task: task.sequence):
        state.board.remove(task)  # its place was that of its former rank
        queue(state, run, task)
    state.unended[run.id] = None


def _predecessors(run: Run, names: Iterable[TaskId]) -> Iterator[TaskId]:
    """Yield what tasks wait for so far: it may lose them, and rank with them."""
    for name in names:
        task = run.tasks.get(name)
        if task is not None:
            yield from (edge.predecessor for edge in task.incoming)


def _remove(state: State, run: Run, name: TaskId) -> None:
    task = run.tasks.get(name)
    if task is None:
        return
    for edge in task.incoming:
        _unlink(run, edge.predecessor, name)
    state.board.remove(task)
    state.timers.clear(task.key)
    run.unfinished -= 1
    del run.tasks[name]
    enter(state, run, task)


def _rewire(state: State, run: Run, name: TaskId, drafted: Change) -> None:
    task = run.tasks[name]
    edges = drafted.incoming[name]
    before = [edge.predecessor for edge in task.incoming]
    for predecessor in before:
        if predecessor not in edges:
            _unlink(run, predecessor, name)
    for predecessor in edges:
        if predecessor not in before:
            run.tasks[predecessor].outgoing.append(name)
    task.incoming = tuple(edges.values())
    task.unmet = sum(1 for p in edges if run.tasks[p].state not in FINAL)
    if task.state in FINAL:
        return  # it was cancelled before what it waited for was removed
    task.revision = run.revision
    if name in drafted.fresh:
        task.charged = task.rejections = task.failed = 0
        task.failures = ()
        task.excluded = task.barred = frozenset()
    if task.state is not TaskState.WAITING:
        move(state, run, task, TaskCause.RESET)
        task.output = task.where = None  # it may have had a result that nobody expected
        state.timers.clear(task.key)
    if not task.unmet:
        state.touched.append(task)


def _unlink(run: Run, predecessor: TaskId, successor: TaskId) -> None:
    task = run.tasks.get(predecessor)
    if task is not None:
        task.outgoing.remove(successor)
