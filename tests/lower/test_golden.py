"""The plans of the tutorials' networks and of ResNet-20, word for word."""

import pytest
from golden.make_plans import FOLDER, text

from benchmarks.networks import NETWORKS
from striate.lower.runtime import library

pytestmark = pytest.mark.skipif(library() is None, reason="the native engine was not built")


@pytest.mark.parametrize("name", NETWORKS)
def test_plans_are_those_that_were_written_down(name):
    assert text(name) == (FOLDER / f"{name}.txt").read_text()
