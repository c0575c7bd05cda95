"""A peer as a process: what it answers, and what happens when it cannot."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pytest

from benchmarks import process, protocol
from benchmarks.process import Peer, PeerError, PlainProcess, Process, ScriptProcess

OURS = Peer("striate")


def test_a_peer_says_what_it_is_and_answers_each_line_with_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOCK", tmp_path / "lock")  # no benchmark holds up a test
    with Process(OURS, "004", "train", 32, 0.05) as peer:
        assert peer.ready["parameters"] == 53_558
        assert set(peer.ready["versions"]) == {"torch", "numpy"}
        assert peer.started_s > 0.5
        first, second = peer.run("normal"), peer.run("normal")
    assert first.keys() == {"samples_per_s", "ms", "steps", "loss", "peak_mib"}
    assert second["samples_per_s"] == pytest.approx(32 * 1000 / second["ms"])
    assert 0 < second["loss"] < 3
    assert second["peak_mib"] > 100


def test_with_no_seconds_a_peer_makes_one_step_and_ends() -> None:
    with Process(OURS, "004", "infer", 1, 0) as peer:
        assert peer.process.wait(timeout=60) == 0


def test_a_peer_that_cannot_start_says_why() -> None:
    with pytest.raises(PeerError, match=r"^KeyError: 'nope'$"):
        Process(OURS, "nope", "train", 32, 1)


def test_a_peer_that_gives_no_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE_S", 0.05)
    with pytest.raises(PeerError, match=r"^no answer$"):
        Process(OURS, "001", "train", 32, 1)


def test_without_their_environment_the_fix_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ROOT", process.LOCK)
    with pytest.raises(SystemExit) as told:
        Process(Peer("flax"), "001", "train", 64, 1)
    assert str(told.value) == "the peers are not installed\n  fix   scripts/peers"


def test_a_pass_takes_about_its_seconds_and_no_more_steps_than_an_epoch() -> None:
    def run(steps: int) -> float:
        time.sleep(0.001 * steps)
        return 0.5

    assert protocol._steps(protocol.Task(run, 1), 0.2) == pytest.approx(180, rel=0.3)
    assert protocol._steps(protocol.Task(run, 1, most=20), 0.2) == 20
    given = argparse.Namespace(seconds=0.1, batch=10)
    passed = protocol._pass(protocol.Task(run, 1, most=20), 20, given)
    assert passed["steps"] in (60, 80)
    assert passed["ms"] == pytest.approx(1.05, rel=0.3)
    assert passed["loss"] == 0.5
    epoch = argparse.Namespace(seconds=protocol.EPOCH, batch=10)
    assert protocol._pass(protocol.Task(run, 1, most=20), 20, epoch)["steps"] == 20


def test_a_script_of_a_dialect_is_a_peer_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOCK", tmp_path / "lock")
    script = tmp_path / "net.py"
    script.write_text(
        "import renom as rm\nfrom benchmarks.protocol import turns\nprint('creating')\n"
        "turns(lambda: rm.Dense(2)([[1.0, 2.0]]), 1)\n"
    )
    with ScriptProcess(script, tmp_path) as peer:
        assert peer.ready == {"samples": 1}
        assert peer.run("normal")["samples_per_s"] > 0


@pytest.mark.parametrize("kind", [PlainProcess, ScriptProcess])
def test_a_script_is_told_which_loop_is_meant(
    kind: type[Process], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOCK", tmp_path / "lock")
    script = tmp_path / "loop.py"
    script.write_text(
        "import sys, torch\nfrom benchmarks.protocol import turns\n"
        "turns(lambda: torch.ones(2).sum(), int(sys.argv[1]))\n"
    )
    with kind(script, tmp_path, "7") as peer:
        assert peer.ready == {"samples": 7}
