import asyncio

import pytest

from benchmarks.crossdevice.session import open_stage


@pytest.fixture
async def stage(tmp_path):
    async with open_stage("memory", tmp_path, []) as it:
        yield it


async def test_a_device_that_is_mended_early_is_killed_for_good_in_the_next_play(stage):
    await stage.kill("laptop", away_s=3.0)
    await stage.mend()
    await stage.kill("laptop", away_s=None)
    await asyncio.sleep(5.0)
    assert "laptop" not in stage.roll.online
    await stage.mend()
    assert "laptop" in stage.roll.online


async def test_a_cut_that_is_mended_early_does_not_end_that_of_the_next_play(stage):
    await stage.cut("laptop", for_s=3.0)
    await stage.mend()
    await stage.cut("laptop", for_s=9.0)
    await asyncio.sleep(5.0)
    assert stage.devices["laptop"].off
    await asyncio.sleep(5.0)
    assert not stage.devices["laptop"].off
