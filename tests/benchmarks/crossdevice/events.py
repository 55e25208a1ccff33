"""Events of a run, as a coordinator tells them, without one."""

SKILL = "work.digest"  # 0.6 s on a device of speed 1


def event(wall, fact, **data):
    return {"seq": 1, "wall": wall, "fact": fact, "data": {"run": "r", **data}}


def add(name, *, skill=SKILL, after=(), device=None, each=False, model=None):
    args = {"given": [{"$from": before} for before in after]}
    spec = {"$": "TaskSpec", "id": name, "skill": skill, "args": args, "needs": {"device": device}}
    if model:
        spec["needs"]["resources"] = [{"kind": "model", "key": model}]
    if each:
        spec["for_each"] = {"source": {"$from": after[0]}}
        spec["args"] = {}
    return {"$": "AddTask", "task": spec}


def plan(*edits, wall=0.0, by="planner"):
    return event(wall, "EditAccepted", revision=1, by=by, edits=list(edits))


def attempt(
    task, start, end, *, device="server-1", fact="AttemptSucceeded", name=None, run_s=None
):
    name = name or f"{task}@{start}"
    yield event(start, "TaskPlaced", task=task, attempt=name, device=device)
    yield event(start, "AttemptStarted", task=task, attempt=name)
    more = {"run_s": run_s if run_s is not None else end - start} if "Succ" in fact else {}
    yield event(end, fact, task=task, attempt=name, **more)


def in_order(*events):
    return sorted(events, key=lambda each: each["wall"])
