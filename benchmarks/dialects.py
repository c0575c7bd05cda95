"""Scripts of dialects beside the same networks natively: scripts/bench dialects [NAMES].

Each script of benchmarks/scripts trains through `striate run`, each native network as in `peers`.
Both are processes that stay for some passes; they take turns, an epoch each, so that both have
trained as long, and the median counts. Several pairs of processes follow each other, since their
first weights decide how many gradients are zero, which is faster. Writes dialects.md.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .networks import find
from .process import Peer, Process, ScriptProcess, in_turn, times
from .protocol import EPOCH, usable
from .results import Results, header, keep, load, origins, table

SCRIPTS = Path(__file__).parent / "scripts"
GOAL = 0.95


@dataclass(frozen=True)
class Pair:
    """A script, and the network that it trains."""

    script: str
    network: str


PAIRS = {
    "001 Keras 2": Pair("keras_001", "001-keras"),
    "000 BigDL 0.7": Pair("bigdl_000", "000-bigdl"),
    "003 ReNom 2.7": Pair("renom_003", "003-renom"),
    "002 PyTorch": Pair("pytorch_002b", "002b-pytorch"),
}


def measure(pair: Pair, passes: int, priority: str, seed: int) -> dict[str, list[float]]:
    """Return the samples per second of every pass of one pair of processes."""
    native = Peer("striate")
    batch = find(pair.network).batch
    with (
        tempfile.TemporaryDirectory() as folder,
        ScriptProcess(SCRIPTS / f"{pair.script}.py", Path(folder), seed=seed) as script,
        Process(native, pair.network, "train", batch, EPOCH) as twin,
    ):
        return in_turn({"script": script, "native": twin}, passes, priority)


def page(results: Results) -> str:
    """Return all results as Markdown."""
    rows = [["script", "batch", "n", "script, samples/s", "native, samples/s", "script / native"]]
    for name in filter(results.__contains__, PAIRS):
        script, native = results[name]["script"], results[name]["native"]
        rows.append([
            name, f"{find(PAIRS[name].network).batch}", f"{len(script)}",
            f"{statistics.median(script):,.0f}", f"{statistics.median(native):,.0f}",
            f"{times(script, native):.2f}",
        ])  # fmt: skip
    lines = [
        "# Scripts of dialects beside native networks", "",
        "Training of a tutorial's network by its script, unmodified, through `striate run`, and by "
        "`fit` of the same network in native words. Medians of passes in turn; the last column is "
        f"the median of the ratios of passes next to each other, {GOAL} or more wanted. The native "
        "network has the script's optimizer: ReNom's Sgd has a momentum of 0.4 with Nesterov.", "",
        *table(rows), *origins(results),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure the pairs that are asked for; keep what was measured of others."""
    parser = argparse.ArgumentParser(prog="scripts/bench dialects", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PAIRS), metavar="NAME")
    parser.add_argument("--passes", type=int, default=5, help="of each pair of processes")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="print the page and keep nothing")
    given = parser.parse_args()
    results = load("dialects")
    priority = usable()[0]
    for name in given.names:
        if name not in PAIRS:
            parser.error(f"no row {name!r}, need one of {', '.join(PAIRS)}")
        described = header("dialects")
        measured: dict[str, list[float]] = {"script": [], "native": []}
        for seed in range(given.pairs):
            for label, rates in measure(PAIRS[name], given.passes, priority, seed).items():
                measured[label] += rates
        results[name] = {"header": described, "priority": priority, **measured}
        if not given.dry:
            keep("dialects", results, page)
    print(page(results))


if __name__ == "__main__":
    main()
