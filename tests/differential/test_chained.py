"""Random chains of layers by ReNom's and BigDL's dialects are the same sums in torch."""

from __future__ import annotations

import pytest

from . import chained
from .hunt import hunt


@pytest.mark.parametrize("dialect", ["renom", "bigdl"])
@pytest.mark.parametrize("seeds", [range(12), pytest.param(range(12, 500), marks=pytest.mark.slow)])
@pytest.mark.timeout(1800)
def test_random_chains(dialect: str, seeds: range) -> None:
    told: list[str] = []
    with getattr(chained, dialect)() as language:
        assert hunt(language, seeds, told.append) == 0, "\n".join(told)


@pytest.mark.parametrize("dialect", ["renom", "bigdl"])
def test_other_sums_are_found(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    with getattr(chained, dialect)() as language:
        part, line, count = language.rows.LAST
        monkeypatch.setattr(language.rows, "LAST", (part, f"1.01 * ({line})", count))
        assert hunt(language, range(3), told.append) == 3
    assert "# in torch:" in told[0] and "1.01" in told[0]
