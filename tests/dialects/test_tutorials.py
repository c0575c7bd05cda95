"""The tutorials' programs, written anew, on a few digits; `scripts/tutorials` runs them in full."""

from __future__ import annotations

from pathlib import Path

import pytest

import striate as st
from striate.dialects.program import run_script

PROGRAMS = {"renom_digits": ("weights 1625866", 2), "torch_digits": ("weights 3199106", 0)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_tutorial_runs_to_its_end(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    last, pictures = PROGRAMS[name]
    script = tmp_path / f"{name}.py"
    text = (Path(__file__).parent / "tutorials" / script.name).read_text()
    script.write_text(text.replace("EPOCHS = 64, 10", "EPOCHS = 64, 2"))
    run = run_script(script, limit_samples=300, seed=0, root="runs")
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert len(list(run.glob("figure-*.png"))) == pictures
    assert st.load(run).output_shape == (None, 10)
