"""A fleet and a run that the tests of this package share."""

from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import Dependency, ForEach, Needs, On, TaskSpec
from orchestrator.core.snapshot import RunSnapshot, TaskSnapshot
from orchestrator.planner import DeviceView, PlanRequest, RevisionRequest
from protocol.types import DeviceCard, Effect, SkillInfo

SEARCH = SkillInfo(
    "files.search",
    "Find text in files.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "pattern": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    },
    {"type": "object", "properties": {"matches": {"type": "array", "items": {"type": "string"}}}},
    Effect.PURE,
)
JOIN = SkillInfo(
    "text.join",
    "Join lines\nwith a separator.",
    {
        "type": "object",
        "properties": {
            "lines": {"type": "array", "items": {"type": "string"}},
            "with": {"enum": [" ", ","]},
        },
        "required": ["lines"],
    },
    {"type": "string"},
    Effect.PURE,
)
NAS = DeviceCard("nas", labels={"role": "storage"}, skills=(SEARCH, JOIN))
PI = DeviceCard("pi", labels={"role": "edge", "os": "linux"}, skills=(JOIN,))
FLEET = (DeviceView(NAS), DeviceView(PI, online=False))
PROPOSE = PlanRequest(
    "r1",
    'Search /var/log on nas for "disk full"\nand join the lines',
    {"with": ","},
    FLEET,
    seed=3,
)
TASKS = [
    {
        "id": "find",
        "skill": "files.search",
        "args": [
            {"name": "path", "value": "/var/log"},
            {"name": "pattern", "value": "disk full"},
        ],
        "device": "nas",
    },
    {
        "id": "join",
        "skill": "text.join",
        "args": [
            {"name": "lines", "value": {"$from": "find", "path": ["matches"]}},
            {"name": "with", "value": ","},
        ],
    },
]
PLAN = {"cannot": None, "tasks": TASKS}
NOTHING = {
    "cannot": None,
    "add_tasks": [],
    "replace_tasks": [],
    "set_args": [],
    "add_dependencies": [],
    "remove_dependencies": [],
    "remove_tasks": [],
    "cancel_tasks": [],
}


def task(name, state, *after, output=None, reason="", parent=None, **spec):
    edges = [each if isinstance(each, Dependency) else Dependency(each, name) for each in after]
    row = TaskSpec(name, spec.pop("skill", "text.join"), **spec)
    return TaskSnapshot(row, state, reason, output, tuple(edges), parent=parent)


def run(*tasks, revision=4):
    return RunSnapshot("r1", "Search the logs", revision, "running", tasks)


LOGS = {
    "matches": [f"line {n} of a very long log" for n in range(5000)],
    "host": "nas",
    "ok": True,
}
RUN = run(
    task("find", TaskState.SUCCEEDED, skill="files.search", output=LOGS),
    task("count", TaskState.SUCCEEDED, output=5000),
    task("broken", TaskState.FAILED, reason="no such\nfolder"),
    task(
        "join",
        TaskState.RECOVERING,
        "find",
        Dependency("broken", "join", On.COMPLETION),
        args={
            "lines": {"$from": "find", "path": ["matches"]},
            "first": {"$from": "find", "path": ["host"]},
        },
        needs=Needs(None, {"role": "storage"}),
    ),
    task("send", TaskState.WAITING, "join", args={"text": {"$from": "join"}}, needs=Needs("pi")),
    task("each", TaskState.WAITING, "send", for_each=ForEach({"$from": "send", "path": ["x"]})),
    task("other", TaskState.ACTIVE),
    task("over", TaskState.SKIPPED, "join"),
)
REVISE = RevisionRequest(
    RUN,
    "join",
    "pi: the list\nis too long (tried 4 times)",
    ("nas", "pi"),
    FLEET,
    seed=3,
    kind="skill_error",
)
