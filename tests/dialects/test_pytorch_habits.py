"""Habits of scripts for PyTorch that others have written: old shapes, words, files and printing."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from striate.dialects import python2, windows
from striate.dialects.program import run_script

PROGRAMS = {
    "labels of one axis are compared with outputs of two": """
        import torch, torch.nn as nn
        p, y = torch.rand(6, 1), torch.ones(6)
        loss = nn.BCELoss()(p, y)
        assert torch.allclose(loss, -p.log().mean())
        try:
            nn.BCELoss()(p, torch.ones(5))
            raise SystemExit('another number of labels was taken')
        except ValueError:
            pass
    """,
    "words of 0.3 are no warnings": """
        import warnings
        import torch, torch.nn.functional as F
        from torch.autograd import Variable
        warnings.simplefilter('error')
        x = Variable(torch.ones(3), volatile=True)
        w = Variable(torch.ones(3), requires_grad=True)
        loss = F.mse_loss(w * 2, x, size_average=False)
        loss.backward()
        assert isinstance(x, Variable) and isinstance(x, torch.Tensor) and w.grad.sum() == 12
        assert loss.data[0] == 3 and not x.requires_grad
        several = F.binary_cross_entropy_with_logits(w, x, reduce=False)
        assert several.shape == (3,) and F.nll_loss(
            torch.eye(3), torch.arange(3), size_average=False) == -3
        twice = (w * w).sum()
        twice.backward(retain_variables=True)
        twice.backward()
        assert w.grad.sum() == 12 + 2 * 6
        minus = torch.FloatTensor([1]) * -1
        (w * 4).sum().backward(minus)
        assert w.grad.sum() == 24 - 12
    """,
    "epochs began with a scheduler's step": """
        import warnings
        import torch
        from torch.autograd import Variable
        from torch.optim import lr_scheduler as S
        warnings.simplefilter('error')
        def rates(make, before):
            w = Variable(torch.ones(1), requires_grad=True)
            o = torch.optim.SGD([w], lr=0.8)
            s, found = make(o), []
            for epoch in range(4):
                if before:
                    s.step()
                found.append(o.param_groups[0]['lr'])
                w.sum().backward()
                o.step()
                if not before:
                    s.step()
            return found
        makes = (lambda o: S.MultiStepLR(o, [1, 3], 0.5), lambda o: S.StepLR(o, 2, 0.5),
                 lambda o: S.ExponentialLR(o, 0.5), lambda o: S.LambdaLR(o, lambda e: 1 / (e + 1)),
                 lambda o: S.CosineAnnealingLR(o, 4))
        assert rates(makes[0], True) == [0.8, 0.4, 0.4, 0.2]
        for make in makes:  # what is made of an epoch is the same, whenever it is said
            early, late = rates(make, True), rates(make, False)
            assert torch.allclose(torch.tensor(early), torch.tensor(late)), (early, late)
    """,
    "blocks of MobileNet in a network of one's own": """
        import torch, torchvision
        from torchvision.models.mobilenet import ConvBNReLU, InvertedResidual, _make_divisible
        from torchvision.models import mobilenet_v2
        block, whole = InvertedResidual(8, 8, 1, 6), mobilenet_v2()
        x = torch.rand(2, 8, 6, 6)
        assert torch.equal(block.eval()(x), x + block.conv(x)) and block.use_res_connect
        assert InvertedResidual(8, 12, 2, 1)(x).shape == (2, 12, 3, 3)
        theirs = {k.partition('conv.')[2] for k in whole.state_dict() if k[:11] == 'features.3.'}
        assert set(block.conv.state_dict()) == theirs
        assert ConvBNReLU(8, 4, 5, dilation=2)(x).shape == (2, 4, 6, 6)
        assert [_make_divisible(n, 8) for n in (3, 33, 34.9, 44)] == [8, 32, 32, 48]
        assert torchvision.get_image_backend() == 'PIL'
    """,
    "the number of a loss is one of Python's": """
        import torch
        from torch.autograd import Variable
        w = Variable(torch.ones(2), requires_grad=True)
        loss = (w * 3).sum()
        assert type(loss.data[0]) is float and '%s' % loss.data[0] == '6.0'
        losses = [loss.data[0], loss.data[0]]
        assert torch.mean(torch.FloatTensor(losses)) == 6
        loss[0].backward()
        assert w.grad.sum() == 6 and type(torch.ones(3).long().sum()[0]) is int
    """,
    "a network that is made in inference mode": """
        import torch, torch.nn as nn
        with torch.inference_mode():
            net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()).eval()
            x = torch.rand(2, 1, 5, 5)
            assert torch.allclose(net(x), torch.relu(net[0](x)))
            net[0].weight.mul_(0)
            assert torch.equal(net(x)[0, 0], torch.relu(net[0].bias[0]).expand(3, 3))
    """,
    "arguments of a grid stood behind the file": """
        import numpy as np, torch
        from PIL import Image
        from torchvision import datasets
        from torchvision.utils import make_grid, save_image
        x = torch.rand(6, 3, 4, 5) * 0.5
        read = lambda path: np.array(Image.open(path))
        expected = make_grid(x, 3, 1, True, pad_value=1).mul(255).add(0.5).byte()
        save_image(x, 'a.png', 3, 1, True, None, False, 1)
        assert (read('a.png') == expected.permute(1, 2, 0).numpy()).all()
        save_image(x, filename='b.png', nrow=2)
        assert read('b.png').shape == (3 * 6 + 2, 2 * 7 + 2, 3)
        with open('c.bin', 'wb') as file:
            save_image(x, file, 'PNG')
        assert Image.open('c.bin').format == 'PNG'
        digits = datasets.MNIST('here')
        assert digits.raw_folder == 'here/MNIST/raw' and digits.training_file == 'training.pt'
        assert digits.processed_folder == 'here/MNIST/processed'
    """,
    "equations are solved": """
        import torch
        x, factors = torch.solve(torch.tensor([[2.], [8.]]), torch.tensor([[1., 0.], [0., 4.]]))
        assert x.tolist() == [[2.], [2.]] and factors.shape == (2, 2)
    """,
    "several cards are one processor": """
        import torch, torch.nn as nn
        net = nn.Linear(3, 2).cuda()
        x = torch.rand(4, 3).cuda()
        assert torch.equal(nn.parallel.data_parallel(net, x, [0, 1]), net(x))
        assert torch.equal(nn.DataParallel(net, [0, 1])(x), net(x))
    """,
    "schedulers say what they change": """
        import contextlib, io, torch
        from torch.optim import lr_scheduler as S
        def said(make, *steps):
            weight = torch.nn.Parameter(torch.ones(1))
            with contextlib.redirect_stdout(io.StringIO()) as text:
                s = make(torch.optim.SGD([weight], lr=0.1))
                for step in steps:
                    s.optimizer.step()
                    s.step(*step)
            return text.getvalue().splitlines()
        plateau = lambda o: S.ReduceLROnPlateau(o, 'min', patience=0, verbose=True)
        reduced = ['Epoch 00002: reducing learning rate of group 0 to 1.0000e-02.']
        assert said(plateau, [1.], [1.]) == reduced, said(plateau, [1.], [1.])
        placed = lambda o: S.ReduceLROnPlateau(o, 'min', 0.1, 0, True)
        assert said(placed, [1.], [1.]) == reduced
        assert said(lambda o: S.ReduceLROnPlateau(o, 'min', 0.1, 0), [1.], [1.]) == []
        told = ['Adjusting learning rate of group 0 to %.4e.' % lr for lr in (0.1, 0.05)]
        assert said(lambda o: S.StepLR(o, 1, 0.5, -1, True), []) == told
        assert said(lambda o: S.ExponentialLR(o, 0.5, verbose=True), []) == told
        assert said(lambda o: S.CosineAnnealingWarmRestarts(o, 2, verbose=True), []) == told
        assert said(lambda o: S.StepLR(o, 1, 0.5), []) == []
    """,
    "a network is written as ONNX": """
        import os, torch, torch.nn as nn
        net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(),
                            nn.Linear(72, 3)).eval()
        x = torch.randn(1, 1, 8, 8)
        torch.onnx.export(net, x, 'net.onnx', opset_version=12, input_names=['pixels'],
                          output_names=['scores'], dynamic_axes={'pixels': {0: 'batch'}})
        data = open('net.onnx', 'rb').read()
        assert b'pixels' in data and b'scores' in data and b'Conv' in data and b'pytorch' in data
        assert net[4].weight.detach().numpy().tobytes() in data
    """,
    "numbers for channels that are not there are left": """
        import torch
        from torch.utils.data import DataLoader
        from torchvision import datasets, transforms as T
        steps = [T.Resize(20), T.ToTensor(), T.Normalize((0.5, 0.1, 0.2), (0.25, 3, 3))]
        digits = datasets.MNIST('.', transform=T.Compose(steps))
        batch = next(iter(DataLoader(digits, batch_size=4)))[0]
        assert batch.shape == (4, 1, 20, 20) and batch.min() == -2
        digits.transform = T.Compose(steps[1:])  # at once
        x = next(iter(DataLoader(digits, batch_size=4)))[0]
        assert torch.equal(x[1], digits[1][0]) and x.shape == (4, 1, 28, 28) and x.max() == 2
        colours = T.Normalize((1., 2., 3.), (1., 1., 1.))(torch.zeros(3, 2, 2))
        assert colours[:, 0, 0].tolist() == [-1, -2, -3]
    """,
    "a list of changes is the script's own": """
        import torch
        from torchvision import datasets, transforms as T
        T.Compose((T.ToTensor()))  # is not called
        steps = [T.ToTensor()]
        digits = datasets.MNIST('.', transform=T.Compose(steps))
        steps.append(T.Lambda(lambda x: x * 0))
        assert digits[0][0].sum() == 0
        digits = datasets.MNIST('.', transform=T.Compose((T.ToTensor(), T.Normalize([0.], [2.]))))
        assert digits.__getitems__([0])[0][0].max() == digits[0][0].max() == 0.5
    """,
    "half of a whole number was one": """
        import torch, torch.nn as nn
        from torch.autograd import Variable
        d = 8
        net = nn.Sequential(nn.Conv2d(1, d / 2, 3, padding=1), nn.ReLU(), nn.Conv2d(d / 2, 2, 3))
        assert net[0].out_channels == 4 and net(Variable(torch.zeros(1, 1, 6, 6))).shape[1] == 2
        assert nn.Linear(in_features=d / 4, out_features=3).weight.shape == (3, 2)
        try:
            nn.Linear(d / 3, 2)
            raise SystemExit('a third of eight was taken')
        except TypeError:
            pass
    """,
    "multiplications are counted as thop counts them": """
        import contextlib, io, torch, torch.nn as nn
        from thop import profile, clever_format
        class Twice(nn.Module):
            def forward(self, x): return x * 2
        net = nn.Sequential(nn.Conv2d(4, 6, 3, groups=2, bias=True), nn.BatchNorm2d(6), nn.ReLU(),
                            nn.AdaptiveAvgPool2d(2), Twice(), nn.Flatten(), nn.Linear(24, 5),
                            nn.Softmax(dim=1))
        x = torch.zeros(2, 4, 6, 6)
        with contextlib.redirect_stdout(io.StringIO()) as text:
            macs, weights = profile(net, inputs=(x,))
        parts = [2 * 6 * 16 * 2 * 9, 4 * 2 * 6 * 16, 2 * 6 * 4 * (4 + 1), 24 * 10, 2 * 14]
        assert macs == sum(parts), (macs, parts)
        assert weights == 6 * 2 * 9 + 6 + 12 + 24 * 5 + 5 and net.training
        said = text.getvalue().splitlines()
        assert said[1] == ("[INFO] Register count_convNd() for "
                           "<class 'torch.nn.modules.conv.Conv2d'>."), said
        assert not [one for one in net.modules() if hasattr(one, 'total_ops')]
        def count(m, x, y):
            m.total_ops += 7
        assert profile(net, (x,), custom_ops={Twice: count}, verbose=False)[0] == macs + 7
        assert clever_format([1234567.0, 999.0, 2.5e9, 5e3], '%.3f') == (
            '1.235M', '999.000B', '2.500G', '5.000K')
        assert clever_format(12.0) == '12.00B'
    """,
    "numbers are logged where nobody looks": """
        import json, torch
        from tensorboardX import SummaryWriter
        from tensorboard_logger import Logger, configure, log_value
        import visdom
        try:
            log_value('loss', 1., 0)
            raise SystemExit('logged to nowhere')
        except ValueError:
            pass
        configure('seen')
        log_value('loss', torch.tensor(2.), 3)
        Logger('own').log_value('loss', 1.5, 4).log_value('loss', 1.25, 5)
        read = lambda path: [json.loads(line) for line in open(path).read().splitlines()]
        assert read('seen/scalars.jsonl') == [{'name': 'loss', 'step': 3, 'value': 2.0}]
        assert [one['value'] for one in read('own/scalars.jsonl')] == [1.5, 1.25]
        writer = SummaryWriter('x')
        writer.add_scalars('loss', {'train': 1., 'test': 2.}, 7)
        writer.add_video('clip', torch.zeros(1, 1, 3, 4, 4))
        writer.export_scalars_to_json('all.json')
        assert json.load(open('all.json'))['loss/test'] == [[0, 7, 2.0]]
        assert writer.get_logdir() == 'x'
        seen = visdom.Visdom(env='main')
        window = seen.line(X=[0], Y=[1.], opts={'title': 'loss'})
        seen.line(X=[1], Y=[2.], win=window, update='append')
    """,
    "bars of notebooks are text": """
        import torch
        from tqdm.notebook import tqdm, trange
        from tqdm import tqdm_notebook
        assert list(tqdm(range(3))) == [0, 1, 2] and list(trange(2)) == [0, 1]
        assert list(tqdm_notebook([5])) == [5]
    """,
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.filterwarnings("ignore")  # of torch, in the words of the time
def test_a_habit_means_what_it_did(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "assert " in PROGRAMS[name]  # it is the program that compares
    script = tmp_path / "old.py"
    script.write_text(textwrap.dedent(PROGRAMS[name]))
    monkeypatch.chdir(tmp_path)
    run_script(script, seed=0, root=tmp_path / "runs")


PRINTED = {
    "print 'a: %d %d' % (1,\n    2), 'x'  # said": "print('a: %d %d' % (1,\n    2), 'x')  # said",
    "print": "print()",
    "print ('a'), 3": "print(('a'), 3)",
    "print('a'),": "print(('a'), end=' ')",
    "print('a', 3)\nprint 4": "print('a', 3)\nprint(4)",
    "if x: print 'in',; y = 1": "if x: print('in', end=' '); y = 1",
    "print >> f, 'to', g(1,\n  2)": "print('to', g(1,\n  2), file=f)",
    "print >>sys.stderr": "print(file=sys.stderr)",
    "print '#', \"'\" # a 'word": "print('#', \"'\") # a 'word",
    "print -1": "print(-1)",
    "if x:\n    if y:\n\tprint 'tabs'": "if x:\n    if y:\n        print('tabs')",
}


@pytest.mark.parametrize("text", PRINTED)
def test_print_was_a_statement(text: str, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(f"{text}\nprint 'two'\n")
    assert python2.read(tmp_path / "old.py")[0] == f"{PRINTED[text]}\nprint('two')\n"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files left open
def test_a_path_of_windows_leads_to_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photos of" / "cats").mkdir(parents=True)
    (tmp_path / "photos of" / "cats" / "names.txt").write_text("Mia")
    (tmp_path / "beside.py").write_text("ALSO = 'photos of\\\\cats'\nPATTERN = '\\\\d+'\n")
    script = tmp_path / "old.py"
    script.write_text(
        "import os, torch, beside\n"
        "assert open(r'photos of\\cats\\names.txt').read() == 'Mia'\n"
        "folder = 'photos of\\\\cats\\\\'\n"
        "assert open(folder + 'names.txt').read() == 'Mia' and os.listdir(beside.ALSO)\n"
        "assert beside.PATTERN == '\\\\d+' and 'none\\\\here' == 'none' + chr(92) + 'here'\n"
    )
    monkeypatch.chdir(tmp_path)
    run_script(script, root=tmp_path / "runs")
    said = capfd.readouterr().err
    assert r"note: photos of\cats\names.txt is a path of Windows, photos of/cats/names.txt" in said
    assert windows.native(r"a\b") == "a/b"
    bar = ast.parse(r"turns = ['|', '/', '-', '\\', '\\.', r'..\..']")
    assert windows.read_here(bar) == {}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_script_works_where_the_files_of_windows_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "data").mkdir(parents=True)
    (tmp_path / "work" / "data" / "names.txt").write_text("Mia")
    script = tmp_path / "work" / "old.py"
    script.write_text(r"import torch; assert open('data\\names.txt').read() == 'Mia'")
    monkeypatch.chdir(tmp_path)
    run_script(script, root=tmp_path / "runs")
