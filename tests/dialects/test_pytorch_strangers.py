"""What scripts of others for PyTorch count on: whole data sets, all epochs, words of 0.2."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from striate.dialects.program import run_script

SHORTENED = """
    import torch
    from torch.utils.data import DataLoader, Subset, SubsetRandomSampler, random_split
    from torchvision import datasets, transforms
    whole = datasets.FakeData(40, (1, 8, 8), 4, transforms.ToTensor())
    digits = datasets.MNIST('data', transform=transforms.ToTensor())
    assert len(digits) == 30 and len(whole) == 40
    places = torch.randperm(60000, generator=torch.Generator().manual_seed(1)).tolist()
    first, rest = Subset(digits, places[:45000]), Subset(digits, places[45000:])
    assert sorted(first.indices + rest.indices) == list(range(30))
    assert first.indices == [place for place in places[:45000] if place < 30]
    late = Subset(digits, range(59970, 59990))  # none of these: others, as many
    assert len(late) == len(set(late.indices)) == 20 and len(next(iter(DataLoader(late, 20)))[1])
    train, valid = random_split(digits, [50000, 10000])
    assert (len(train), len(valid)) == (25, 5)
    assert [len(one) for one in random_split(digits, [20, 10])] == [20, 10]
    assert [len(one) for one in random_split(digits, [0.5, 0.5])] == [15, 15]
    loader = DataLoader(digits, 6, sampler=SubsetRandomSampler(places[:45000]))
    assert sum(len(labels) for _, labels in loader) == len(first)
    few = list(range(5))
    assert Subset(digits, few).indices is few
    try:
        random_split(digits, [10, 10])
        raise SystemExit('samples were lost')
    except ValueError:
        pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a script."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(folder: Path, text: str) -> Path:
    """Write a script."""
    (folder / "old.py").write_text(textwrap.dedent(text))
    return folder / "old.py"


def test_a_shortened_data_set_is_divided_as_the_whole_one(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_script(script(folder, SHORTENED), limit_samples=30, root=folder / "runs")
    said = capfd.readouterr().err
    assert said.count("of chosen samples and lengths, what the shortened data set has") == 1


def test_a_place_that_a_whole_data_set_has_not_is_an_error(folder: Path) -> None:
    text = """
        import torch
        from torch.utils.data import Subset, TensorDataset
        Subset(TensorDataset(torch.ones(3)), [2, 5])[1]
    """
    with pytest.raises(IndexError):
        run_script(script(folder, text), root=folder / "runs")


CURVES = """
    import matplotlib.pyplot as plt
    import torch
    losses, others = [], []
    for epoch in range(1, 31):
        losses.append(torch.ones(1).item())
        others.append(0)
    plt.plot(range(1, 31), losses, 'r-')
    line, = plt.plot(list(range(30)), others)
    assert len(line.get_xdata()) == len(line.get_ydata()) == len(losses)
"""


def test_curves_are_drawn_over_the_epochs_that_there_were(folder: Path) -> None:
    run_script(script(folder, CURVES), max_epochs=2, root=folder / "runs")


def test_curves_of_different_lengths_are_an_error_where_all_epochs_ran(folder: Path) -> None:
    text = "import torch, matplotlib.pyplot as plt\nplt.plot(range(3), [1, 2])"
    with pytest.raises(ValueError, match="same first dimension"):
        run_script(script(folder, text), root=folder / "runs")


OLD = """
    import torch
    from torch import nn
    from torch.autograd import Variable
    conv = nn.Conv2d(3, 4, 3, bias=True)
    fewer = nn.Conv2d(3, 3, 3, bias=conv.bias)  # a bias is there, as the other one's
    assert fewer.bias.shape == (3,) and nn.Conv2d(3, 3, 3, bias=None).bias is None
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Conv2d(1, 3, 3)
            self.head = nn.Sequential(nn.Linear(12, 5), nn.BatchNorm2d(5), nn.ReLU())
        def forward(self, x):
            return self.head(self.body(x).view(-1, 12))
    net, x = Net(), Variable(torch.rand(6, 1, 4, 4))
    rows = net.head[0](net.body(x).view(-1, 12)).detach()
    made = net(x)
    made.sum().backward()
    assert torch.allclose(made, ((rows - rows.mean(0)) / (rows.var(0, unbiased=False) + 1e-5).sqrt()
                                 ).clamp(min=0), atol=1e-5)
    assert net.body.weight.grad is not None
    try:
        nn.BatchNorm2d(5)(torch.rand(2, 5, 4))
        raise SystemExit('steps were taken for images')
    except ValueError as error:
        assert '3D input' in str(error)
"""

CHOSEN = """
    import torch
    from torch import nn
    from torch.autograd import Variable
    class Block(nn.Module):
        def __init__(self, given, made):
            super().__init__()
            self.same = given == made
            self.way = (not self.same) and nn.Conv2d(given, made, 1) or None
            self.conv = nn.Conv2d(given, made, 3, padding=1)
        def forward(self, x):
            out = x * 2
            made = self.conv(self.same and out or x)
            return torch.add((not self.same) and self.way(x) or x, made)
    x = Variable(torch.zeros(2, 3, 4, 4))
    same, other = Block(3, 3), Block(3, 5)
    assert torch.equal(same(x), same.conv(x * 2) + x)
    assert torch.equal(other(x), other.way(x) + other.conv(x))
    assert not torch.zeros(1) and torch.ones(1)
    try:
        bool(torch.arange(3) > 1)
        raise SystemExit('answers of several places were one')
    except RuntimeError:
        pass
"""


def test_features_are_chosen_by_words_as_up_to_0_1(folder: Path) -> None:
    run_script(script(folder, CHOSEN), root=folder / "runs")
    with pytest.raises(RuntimeError, match="ambiguous"):
        run_script(script(folder, "import torch\ntorch.ones(2) or 1"), root=folder / "runs")


def test_words_of_0_2_mean_what_they_did(folder: Path) -> None:
    run_script(script(folder, OLD), seed=0, root=folder / "runs")
