"""Names of warm resources."""

from dataclasses import replace

import pytest

from protocol.types import PinScope, Resource, WarmResource
from tests.protocol.examples import PIN


@pytest.mark.parametrize(("scope", "run"), [(PinScope.SHARED, None), (PinScope.RUN, "r-1")])
def test_a_warm_resource_is_called_as_the_pin_that_keeps_it(scope, run):
    warm = WarmResource("model", "llama", 4.0, run)
    assert warm.name == replace(PIN, scope=scope).resource == Resource("model", "llama", run)
    assert warm.name.scope is scope
