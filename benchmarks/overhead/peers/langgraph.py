"""LangGraph in this process: nodes that run in supersteps, volatile or with checkpoints in SQLite.

A node is a task. Only a sum is kept in the state: a list of all results would be copied, and
saved, at each superstep.
"""

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from benchmarks.overhead.peers.port import Go, Graph, Prepare


class State(TypedDict):
    """The sum of the results of the tasks that are over."""

    total: Annotated[int, operator.add]


@contextmanager
def peer(_folder: Path) -> Iterator[Prepare]:
    """See `port`: volatile."""
    yield lambda graph: _go(graph, None)


@contextmanager
def durable(folder: Path) -> Iterator[Prepare]:
    """See `port`: with a checkpoint after each superstep, written while the next one runs."""
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.db")) as saver:
        yield lambda graph: _go(graph, saver)


def _go(graph: Graph, saver: SqliteSaver | None) -> Go:
    builder = StateGraph(State)
    leaves = set(range(graph.tasks))
    for number in range(graph.tasks):
        builder.add_node(f"t{number}", _node(number))
        before = [f"t{each}" for each in graph.predecessors(number)]
        builder.add_edge(before or START, f"t{number}")
        leaves.difference_update(graph.predecessors(number))
    for number in leaves:
        builder.add_edge(f"t{number}", END)
    compiled = builder.compile(checkpointer=saver)
    config: Any = {
        "recursion_limit": graph.tasks + 10,
        "configurable": {"thread_id": str(id(compiled))},
    }
    return lambda: int(compiled.invoke({"total": 0}, config)["total"])


def _node(number: int) -> Callable[[State], State]:
    return lambda _state: {"total": number}
