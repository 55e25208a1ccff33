import gc

import pytest

from orchestrator.collection import RARELY, rare_full_collections


def test_full_collections_are_rare_inside_and_as_before_outside():
    before = gc.get_threshold()

    def inside():
        with rare_full_collections():
            assert gc.get_threshold() == (*before[:2], RARELY)
            assert gc.get_freeze_count() > 0
            raise KeyError

    with pytest.raises(KeyError):
        inside()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
