"""The commit of a folder is told, and whether anything differs from it."""

from __future__ import annotations

import hashlib
import subprocess

import pytest

from striate.store.repository import changes, repository
from striate.store.run import Run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("one\n")
    git(tmp_path, "add", "a.py")
    git(
        tmp_path, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "One",
    )  # fmt: skip
    return tmp_path


def git(folder, *words):
    done = subprocess.run(["git", "-C", folder, *words], capture_output=True, check=True)
    return done.stdout.decode()


def test_a_clean_folder_has_its_commit(folder):
    commit = git(folder, "rev-parse", "HEAD").strip()
    assert repository(folder) == {"git_commit": commit, "git_changes": "none"}


def test_what_differs_is_named_with_its_hash(folder):
    (folder / "a.py").write_text("two\n")
    said = repository(folder)["git_changes"]
    digest = hashlib.sha256(git(folder, "diff", "--binary", "HEAD").encode()).hexdigest()
    assert said == f"a.py (1), SHA-256 {digest}"


def test_outside_a_repository_there_is_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert repository(tmp_path) == {}


def test_without_git_there_is_nothing(folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert repository(folder) == {}


def test_what_differs_can_be_applied_again(folder, tmp_path_factory):
    (folder / "a.py").write_text("two\n")
    told = changes(folder)
    git(folder, "checkout", "-q", "a.py")
    (folder / "told.diff").write_text(told)
    git(folder, "apply", "told.diff")
    assert (folder / "a.py").read_text() == "two\n"


def test_a_run_keeps_what_was_not_committed(folder, monkeypatch):
    monkeypatch.chdir(folder)
    clean = Run.create("runs", "clean")
    assert clean.describe_machine()["git_changes"] == "none"
    assert not (clean.path / "changes.diff").exists()
    (folder / "a.py").write_text("<script>two</script>\n")
    changed = Run.create("runs", "changed")
    changed.describe_machine()
    assert (changed.path / "changes.diff").read_text() == changes(folder)
