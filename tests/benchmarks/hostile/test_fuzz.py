"""Mutated messages into the shells: nothing escapes, and an escape would be seen."""

import asyncio
import random
from contextlib import AsyncExitStack

import pytest

from benchmarks.hostile import fuzz, honest
from benchmarks.hostile.mutations import LARGEST, MUTATIONS, mutated

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("seed", range(4))
async def test_shells_take_any_bytes_and_go_on_working(seed):
    chance, escapes, scene = random.Random(seed), fuzz.Escapes(), fuzz.Scene()
    async with AsyncExitStack() as stack:
        await scene.enter(stack)
        targets = scene.targets()
        for _ in range(5):
            fuzz.send(targets, chance, escapes)
            await asyncio.sleep(0)
            scene.orchestrator.coordinator.engine.check()
        assert not escapes.shown
        assert await scene.works()


class _Brittle:
    def received(self, message):
        raise KeyError(message.topic)


def test_an_escape_is_counted_and_the_first_ones_shown():
    escapes = fuzz.Escapes()

    fuzz.send(((_Brittle(), honest.to_device()),), random.Random(0), escapes)

    assert escapes.count == fuzz.AT_ONCE
    assert len(escapes.shown) == fuzz.SHOWN


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b'{"a": [1, {"b": null}]}', b"7"])
def test_each_mutation_takes_any_payload(mutation, payload):
    for seed in range(50):
        assert isinstance(mutation(payload, random.Random(seed)), bytes)


def test_mutations_are_drawn_by_the_seed_and_bounded():
    payload = honest.to_coordinator()[0].payload

    drawn = [mutated(payload, random.Random(seed)) for seed in range(200)]

    assert drawn == [mutated(payload, random.Random(seed)) for seed in range(200)]
    assert len(set(drawn)) > 150
    assert max(map(len, drawn)) <= LARGEST
