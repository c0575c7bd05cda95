"""What the words of Python 2 meant, in scripts and notebooks that are of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.dialects.program import run_script

OLD = """
import renom as rm
print 7 / 2, 7. / 2, -7 / 2
half = 9
half /= 2
print half
found = map(lambda n: n + 1, [1, 2])
print found + filter(None, [0, 3]), zip([1], [2])
"""


def ran(tmp_path: Path, text: str, name: str = "old.py") -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    run_script(tmp_path / name)


def test_whole_numbers_are_divided_down_and_lists_are_lists(tmp_path, capsys):
    ran(tmp_path, OLD)
    out = capsys.readouterr()
    assert out.out == "3 3.5 -4\n4\n[2, 3, 3] [(1, 2)]\n"
    assert "note: Python 2: / of whole numbers goes down; map, filter and zip make lists" in out.err


def test_division_of_the_future_stays(tmp_path, capsys):
    ran(tmp_path, "from __future__ import division\nimport cPickle\nimport renom\nprint(7 / 2)\n")
    assert capsys.readouterr().out == "3.5\n"


@pytest.mark.parametrize("text", [
    "import renom\nprint(7 / 2, map(str, [1]).__class__.__name__)\n",
    "import renom\ntry:\n    import cPickle\nexcept ImportError:\n    pass\n"
    "print(7 / 2, map(str, [1]).__class__.__name__)\n",
])  # fmt: skip
def test_a_script_of_today_is_as_it_is(tmp_path, capsys, text):
    ran(tmp_path, text)
    assert capsys.readouterr().out == "3.5 map\n"


def test_a_later_cell_may_look_into_the_future(tmp_path, capsys):
    cells = ["import renom\n", "from __future__ import print_function\nprint(1)\n"]
    book = {"cells": [{"cell_type": "code", "source": one} for one in cells]}
    ran(tmp_path, json.dumps(book), "book.ipynb")
    assert capsys.readouterr().out == "1\n"


def test_arrays_of_an_iterator_are_stacked_as_by_old_numpy(tmp_path, capsys):
    text = """
import renom
import numpy as np
print(np.vstack(np.ones(2) for _ in range(3)).shape, np.stack(iter([1, 2])).shape)
"""
    ran(tmp_path, text)
    assert capsys.readouterr().out == "(3, 2) (2,)\n"


FILES = """
import cPickle as pickle
import csv, json, renom
with open('a.json', 'wb') as f: json.dump({'a': 1}, f)
with open('b.pkl', 'w') as f: pickle.dump([1, 2], f)
with open('c.csv', 'wb') as f: csv.writer(f).writerow(['x', 1])
with open('a.json') as f: found = json.load(f)
print found.keys()[0], found.has_key('a'), found.items() + [2]
with open('b.pkl', 'rb') as f: print pickle.load(f),
with open('c.csv', 'rb') as f: print [row for row in csv.reader(f)]
with file('c.csv', 'rU') as f: print [line for line in f]
"""


def test_files_take_texts_and_bytes_and_dictionaries_give_lists(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ran(tmp_path, FILES)
    assert capsys.readouterr().out.splitlines() == [
        "a True [('a', 1), 2]", "[1, 2] [['x', '1']]", "['x,1\\n']"]  # fmt: skip


NUMPY = """
import keras
import numpy as np
x = np.arange(4, dtype='uint8')
print(np.reshape(x, newshape=(2, 2)).tolist(), np.fromstring(x.tostring(), 'uint8').tolist())
print(np.asfarray([1]).dtype, x.ptp(), np.fromstring('1 2', sep=' ').tolist())
x.itemset(0, 9)
x[1:].itemset((2,), 7)
class Own:
    def tostring(self, kind):
        return kind
print(x.tolist(), Own().tostring('own'))
"""


def test_what_numpy_has_removed_is_there(tmp_path, capsys):
    ran(tmp_path, NUMPY)
    assert capsys.readouterr().out.splitlines() == [
        "[[0, 1], [2, 3]] [0, 1, 2, 3]", "float64 3 [1.0, 2.0]", "[9, 1, 2, 7] own"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("for i in xrange(1):\n    print(3 / 2)\n", "1\n"),
        ("print([i for i in range(5 / 2)], 3 / 2)\n", "[0, 1] 1\n"),
        ("try:\n    xrange\nexcept NameError:\n    xrange = range\nprint(3 / 2)\n", "1.5\n"),
        ("from six.moves import xrange\nprint(3 / 2)\n", "1.5\n"),
    ],
)
def test_words_of_python_2_speak_for_it(tmp_path, capsys, text, out):
    ran(tmp_path, "import keras\n" + text)
    assert capsys.readouterr().out == out
