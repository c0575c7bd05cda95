"""The code blocks of README.md run as they stand and print what stands below them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
# python, then what it prints (a block of text directly behind it)
BLOCKS = re.findall(
    r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", README, re.DOTALL | re.MULTILINE
)


def test_readme_code_runs_and_prints_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    assert len(BLOCKS) == README.count("```python") > 4
    assert sum(bool(printed) for _, printed in BLOCKS) == README.count("```text")
    before = 0
    for code, printed in BLOCKS:  # one program: messages tell its lines
        exec(compile("\n" * before + code, "tour.py", "exec"), namespace)
        assert capsys.readouterr().out == printed
        before += code.count("\n")


def test_readme_names_files_and_commands_that_exist() -> None:
    (commands,) = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert commands.splitlines() == ["scripts/striate train mnist", "scripts/test"]
    for path in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / path).exists(), path
    named = set(re.findall(r"`striate (\w+)", README))
    source = (ROOT / "striate" / "cli" / "__init__.py").read_text()
    imported = {
        node.module
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.level == 1
    }
    assert named and named <= imported
