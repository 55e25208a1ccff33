"""A model that takes seconds to load: weights of words, from a file on the device.

The resource `model` has the key `FOLDER.NAME`, and its weights are in `FOLDER/models/NAME.json`:
label → word → weight. A text has the label whose weights of its words add up to the most; the
first one of the file where several do.
"""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from agents.builtin.bounds import Roots
from agents.skills import Context, PermanentError, Skill, skill
from agents.warm.adapters import ResourceKind
from agents.warm.adapters.objects import Objects
from benchmarks.crossdevice.hardware import LOAD_S

CAPACITY: Final = 2.0  # models at once

Weights: TypeAlias = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Label:
    """What the model says of a text."""

    text: str
    label: str
    score: float


@skill("model.classify")
async def classify(
    context: Context,
    texts: Annotated[Sequence[str], Field(min_length=1)],
    *,
    work_s: float | None = None,
) -> Sequence[Label]:
    """Label texts with the model that the task needs as a resource."""
    del work_s  # see `hardware`
    weights: Weights = context.resource("model")
    return [_label(weights, each) for each in texts]


def warm(roots: Roots) -> ResourceKind:
    """Return how models are loaded from the folders of a device."""

    async def load(key: str) -> Weights:
        folder, _, name = key.rpartition(".")
        path = roots.resolve(f"{folder}/models/{name}.json")
        try:
            weights: Weights = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PermanentError(f"there is no model {key!r}: {error}") from error
        await asyncio.sleep(LOAD_S)
        return weights

    return ResourceKind(Objects(load), capacity=CAPACITY)


def _label(weights: Weights, text: str) -> Label:
    words = re.findall(r"[a-z]+", text.lower())
    scores = {label: sum(each.get(w, 0.0) for w in words) for label, each in weights.items()}
    best = max(scores, key=lambda label: scores[label])
    return Label(text, best, round(scores[best], 6))


SKILLS: Final[Sequence[Skill]] = (classify,)
