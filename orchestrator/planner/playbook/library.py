"""All playbooks, and the planner that answers from them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from orchestrator.core.edits import EditBatch
from orchestrator.planner import NoRevisionError, PlanningError, PlanRequest, RevisionRequest
from orchestrator.planner.playbook.document import Place, PlaybookError
from orchestrator.planner.playbook.matching import Match
from orchestrator.planner.playbook.plan import Playbook, load

SHIPPED = Path(__file__).parents[2] / "playbooks"


class PlaybookPlanner:
    """Answers a request with the playbook that matches it best.

    Args:
        folders: users' playbooks (``*.yaml``), read once, now. A later folder's playbook takes the
            place of an earlier one, shipped ones included, with the same name.

    Raises:
        PlaybookError: a file is wrong, or cannot be read.
    """

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        found: dict[str, Playbook] = {}
        for folder in (SHIPPED, *folders):
            if not folder.is_dir():
                raise PlaybookError(
                    [
                        (
                            Place(str(folder), 1, 1),
                            "there is no such folder: make it, or name another",
                        )
                    ]
                )
            found |= _load_folder(folder)
        self.playbooks: Mapping[str, Playbook] = dict(sorted(found.items()))
        """By name, in order of name."""

    async def propose(self, request: PlanRequest) -> EditBatch:
        """Return the plan of the best match; parameters given win over those in the words."""
        playbook, match = self.find(request.request)
        return playbook.plan({**match.parameters, **request.parameters})

    async def revise(self, request: RevisionRequest) -> EditBatch:
        """Refuse: what a playbook does about a failure, its `on: failure` edges say already."""
        raise NoRevisionError(f"playbooks cannot revise the plan of {request.task!r}")

    def find(self, request: str) -> tuple[Playbook, Match]:
        """Return the playbook that answers a request.

        Raises:
            PlanningError: none does, or several do equally well.
        """
        scored = [
            (each, found) for each in self.playbooks.values() if (found := each.match(request))
        ]
        top = max((found.score for _, found in scored), default=0.0)
        best = [(each, found) for each, found in scored if found.score == top]
        if not best:
            raise PlanningError(self._unmatched(request))
        if len(best) > 1:
            names = ", ".join(each.name for each, _ in best)
            raise PlanningError(
                f"{request!r} fits several playbooks equally well ({names}): "
                "ask for one of them by its name"
            )
        return best[0]

    def _unmatched(self, request: str) -> str:
        known = ", ".join(self.playbooks)
        return (
            f"no playbook answers {request!r}; ask for one by name ({known}), or write one: "
            f"a YAML file with name, description, match and tasks, as in {SHIPPED}"
        )


def _load_folder(folder: Path) -> Mapping[str, Playbook]:
    found: dict[str, Playbook] = {}
    for path in sorted(folder.glob("*.yaml")):
        playbook = load(_text(path), str(path))
        if playbook.name in found:
            also = found[playbook.name].source
            raise PlaybookError([(Place(str(path), 1, 1), f"{playbook.name!r} is in {also} too")])
        found[playbook.name] = playbook
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlaybookError([(Place(str(path), 1, 1), f"cannot be read: {error}")]) from error
