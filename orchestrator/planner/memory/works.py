"""Works: what was asked and done before, run by run, as long as the runs do the same thing.

AOP (Li et al. 2024, arXiv 2410.02189, section 3.3) keeps "representative works" for each agent, to
judge new tasks by; MobileSteward (Liu et al. 2025, arXiv 2502.16796) makes memory of successful
workflows only. Here a work belongs to a kind of request, holds the newest runs that succeeded,
and counts what failed; the candidate playbook is made from it whenever it is wanted.
"""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from orchestrator.planner.memory.aligning import shape
from orchestrator.planner.memory.candidates import Candidate, candidate
from orchestrator.planner.memory.errors import LearningError
from orchestrator.planner.memory.sampling import Sample
from orchestrator.planner.memory.words import ALIKE, common
from orchestrator.planner.playbook.format import Name, Part

SAMPLES: Final = 4  # runs kept of a work: enough to tell what differs, few to read


class Work(Part):
    """A kind of request that was done; `wall` is seconds since the epoch."""

    name: Name
    shape: str
    successes: int = Field(ge=0)
    streak: int = Field(ge=0, description="Successes since the last failure.")
    failures: int = Field(ge=0)
    wall: float
    used: int = Field(default=0, ge=0, description="How often it was an example.")
    adopted: str | None = Field(default=None, description="The playbook it has become.")
    digest: str = Field(default="", description="Of that, if the rule wrote it; see `retracting`.")
    against: int = Field(
        default=0, ge=0, description="Runs of that playbook that failed, less those that did not."
    )
    retractions: int = Field(default=0, ge=0, description="How often the rule took it back.")
    last_failure: str = Field(default="", description="Of a run of that playbook.")
    samples: tuple[Sample, ...] = Field(min_length=1, description="The oldest first.")

    def candidate(self, *, name: str | None = None) -> Candidate:
        """Return the playbook that its runs suggest.

        Raises:
            LearningError: a person changed the runs, and they no longer belong together.
        """
        return candidate(self.samples, name=name or self.name)

    def takes(self, run: Sample) -> bool:
        """Tell whether a run did the same kind of thing.

        It did if what differs is in the words of the requests, or else if these are alike.
        """
        if shape(run.tasks) != self.shape:
            return False
        try:
            together = candidate((*self.samples, run))
        except LearningError:
            return False
        return not together.unsaid or any(
            common(run.request, each.request) >= ALIKE for each in self.samples
        )

    def succeeded(self, run: Sample, wall: float) -> "Work":
        """Return it with another success; of equal runs the newest stays.

        Its name is without the values of the first run once a second tells which these are.
        """
        others = [
            each
            for each in self.samples
            if each.run != run.run and (each.request, each.tasks) != (run.request, run.tasks)
        ]
        samples = (*others, run)[-SAMPLES:]
        first_difference = len(self.samples) < len(samples) == 2  # noqa: PLR2004
        return self.model_copy(
            update={
                "name": candidate(samples).name if first_difference else self.name,
                "samples": samples,
                "successes": self.successes + 1,
                "streak": self.streak + 1,
                "wall": wall,
            }
        )

    def failed(self, wall: float) -> "Work":
        """Return it with a failure."""
        return self.model_copy(update={"failures": self.failures + 1, "streak": 0, "wall": wall})

    def became(self, playbook: str, digest: str = "") -> "Work":
        """Return it as adopted, by the rule if there is a digest of what that wrote."""
        return self.model_copy(update={"adopted": playbook, "digest": digest, "against": 0})

    def tried(self, reason: str | None) -> "Work":
        """Return it with another run of the rule's playbook: why it failed, or None."""
        if reason is None:
            return self.model_copy(update={"against": max(0, self.against - 1)})
        return self.model_copy(update={"against": self.against + 1, "last_failure": reason})

    def retracted(self) -> "Work":
        """Return it as no playbook any more."""
        nothing = {"adopted": None, "digest": "", "against": 0, "streak": 0}
        return self.model_copy(update={**nothing, "retractions": self.retractions + 1})


def began(run: Sample, wall: float) -> Work:
    """Return the work of a first success.

    Raises:
        LearningError: the request has no word to know it by.
    """
    return Work(
        name=candidate([run]).name,
        shape=shape(run.tasks),
        successes=1,
        streak=1,
        failures=0,
        wall=wall,
        samples=(run,),
    )


def home(works: Sequence[Work], run: Sample) -> Work | None:
    """Return the work that a run belongs to, the most recent first."""
    newest_first = sorted(works, key=lambda each: (-each.wall, each.name))
    return next((each for each in newest_first if each.takes(run)), None)
