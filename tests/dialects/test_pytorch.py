"""PyTorch with torchvision: old idioms, data sets, transforms, and loops that run natively."""

from __future__ import annotations

import bz2
import hashlib
import json
import pickle
import struct
import textwrap
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

import striate as st
from striate.dialects import installed
from striate.dialects.program import run_script
from striate.dialects.pytorch import models_published
from striate.dialects.pytorch.native import follow
from striate.dialects.pytorch.port import ported
from striate.dialects.pytorch.trained import start
from striate.errors import StriateError
from striate.layers import foreign
from striate.model import Model


@pytest.fixture
def vision() -> Iterator[Any]:
    with installed("pytorch"):
        import torchvision  # type: ignore[import-not-found]

        yield torchvision


NET = """
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5)
        self.drop = nn.Dropout2d(0.1)
        self.fc1 = nn.Linear(216, 10)
    def forward(self, x):
        x = F.relu(F.max_pool2d(self.drop(self.conv1(x)), 4))
        x = x.view(-1, 216)
        x = F.dropout(x, 0.1, training=self.training)
        return F.log_softmax(self.fc1(x), dim=1)
plain = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
"""
LOOP = """
def fit(net, loader, epochs, lr=0.01):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        net.train()
        for x, y in loader:
            optimizer.zero_grad()
            loss = F.nll_loss(net(x), y)
            loss.backward()
            optimizer.step()
    return loss.item()
"""
PROGRAMS = {
    "a script for a graphics card": ("pytorch", NET + LOOP + """
torch.cuda.set_device(0)
device = torch.device('cuda:0')
start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
start.record()
net = nn.DataParallel(Net(), device_ids=[0]).to(device)
x = torch.rand(4, 1, 28, 28, device='cuda').to('cuda', torch.float32)
net(x).sum().backward()
end.record(); torch.cuda.synchronize()
state = torch.Generator(device='cuda').manual_seed(1)
kinds = torch.zeros(2).type(torch.cuda.LongTensor).dtype, isinstance(state, torch.Generator)
assert nn.Linear(2, 2).to(torch.device('mps')).weight.device.type == 'cpu'
assert torch.zeros(2, device='mps').to('xpu:0').device.type == 'cpu'
print(x.device, torch.cuda.FloatTensor(2).fill_(1).sum().item(), *kinds,
      start.elapsed_time(end) > 0, torch.cuda.is_available(), device.type,
      torch.ones_like(x, device=device).mean().item())
with torch.device('meta'):
    assert nn.Linear(2, 2).weight.device.type == 'meta'
""", "cpu 2.0 torch.int64 True True False cuda 1.0"),
    "a loop of today": ("pytorch", NET + LOOP + """
train = datasets.MNIST('data', train=True, download=True, transform=plain)
net = Net()
loader = DataLoader(train, batch_size=50, shuffle=True, num_workers=2, pin_memory=True)
print(fit(net, loader, 3) < 0.6)
net.eval()
with torch.no_grad():
    x, y = next(iter(DataLoader(train, batch_size=200)))
    print(len(train), (net(x).argmax(1) == y).float().mean().item() > 0.8)
""", "200 True"),
    "a loop of 2017": ("pytorch0", NET + """
from torch.autograd import Variable
loader = DataLoader(datasets.MNIST('data', download=True, transform=plain), 50, True)
net = Net()
net.cuda()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.5)
for data, target in loader:
    data, target = Variable(data), Variable(target)
    loss = F.nll_loss(net(data), target)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
net.eval()
data, target = Variable(data, volatile=True), Variable(target)
output = net(data)
total = F.nll_loss(output, target, size_average=False).data[0]
pred = output.data.max(1, keepdim=True)[1]
correct = pred.eq(target.data.view_as(pred)).cpu().sum()
x, y = iter(loader).next()
text = '{:.0f}% {:.6f}'.format(100. * correct / len(loader.dataset), loss.data[0])
print(text[0].isdigit(), bool(total > 0), x.shape)
""", "True True torch.Size([50, 1, 28, 28])"),
    "an autoencoder, a schedule and a writer": ("pytorch", NET + """
from torch.utils.tensorboard import SummaryWriter
from torch.optim.lr_scheduler import StepLR, ReduceLROnPlateau
from torchvision.utils import save_image, make_grid
noisy = transforms.Compose([transforms.RandomCrop(28, padding=2), transforms.RandomHorizontalFlip(),
                            transforms.RandomRotation(5), transforms.ToTensor()])
loader = DataLoader(datasets.MNIST('data', transform=noisy), batch_size=40)
net = nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(True),
                    nn.ConvTranspose2d(4, 1, 2, stride=2), nn.Sigmoid())
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
steps = StepLR(optimizer, 1, gamma=0.5, verbose=False)
plateau = ReduceLROnPlateau(optimizer, 'min', verbose=True)
writer = SummaryWriter('logs')
losses = []
for epoch in range(3):
    for x, _ in loader:
        loss = F.mse_loss(net(x), x)
        optimizer.zero_grad(); loss.backward(); optimizer.step()
    losses.append(loss.item())
    writer.add_scalar('loss', loss.item(), epoch)
    steps.step(); plateau.step(losses[-1])
save_image(net(x)[:4], 'out.png', nrow=2)
print(losses[-1] < losses[0], make_grid(x[:4], nrow=2).shape)
""", "True torch.Size([3, 62, 62])"),
    "weights that are frozen, saved and read": ("pytorch", NET + LOOP + """
loader = DataLoader(datasets.MNIST('data', transform=plain), batch_size=50)
net = Net()
for weight in net.conv1.parameters():
    weight.requires_grad = False
before = net.conv1.weight.clone(), net.fc1.weight.clone()
fit(net, loader, 1)
torch.save(net.state_dict(), 'net.pth')
torch.save(net, 'whole.pth')
other = Net()
other.load_state_dict(torch.load('net.pth'))
same = torch.load('whole.pth')
print(torch.equal(net.conv1.weight, before[0]), torch.equal(net.fc1.weight, before[1]),
      torch.equal(other.fc1.weight, same.fc1.weight))
""", "True False True"),
    "hooks and code that remembers see real tensors": ("pytorch", NET + LOOP + """
class Seen(Net):
    def forward(self, x):
        self.kept = F.relu(self.conv1(x))
        return super().forward(x)
loader = DataLoader(datasets.MNIST('data', transform=plain), batch_size=50)
net, found = Net(), []
net.conv1.register_forward_hook(lambda module, inputs, output: found.append(output.shape))
fit(net, loader, 1)
other = Seen()
fit(other, loader, 1)
print(len(found), tuple(found[0]), type(other.kept).__name__, tuple(other.kept.shape))
""", "4 (50, 6, 24, 24) Tensor (50, 6, 24, 24)"),
    "gradients of the input": ("pytorch", NET + """
net = Net().eval()
x = torch.rand(2, 1, 28, 28, requires_grad=True)
net(x)[0, 3].backward()
print(x.grad.abs().sum().item() > 0, x.grad[1].abs().sum().item())
""", "True 0.0"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_runs_unmodified(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    version, text, last = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.py").write_text(textwrap.dedent(text))
    run = run_script("script.py", limit_samples=200, root="runs")
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == last
    assert captured.err.startswith(f"dialect  {version} (")
    assert json.loads((run / "config.json").read_text())["dialect"] == version
    kept = run / "state_dict.safetensors"
    assert kept.is_file() == (name != "gradients of the input")
    if name in ("a loop of today", "weights that are frozen, saved and read"):
        model = st.load(run)
        assert [type(layer).__name__ for layer in model.layers] == [
            *("Conv2D", "SpatialDropout2D", "MaxPooling2D", "ReLU", "Flatten", "Dropout", "Dense"),
            "Activation",
        ]
        assert model.predict(np.zeros((2, 1, 28, 28), np.float32), verbose=0).shape == (2, 10)
    if name == "a loop of 2017":
        assert "note: cuda(): there is no GPU, all is computed on the processor\n" in captured.err


def test_all_is_taken_back_afterwards() -> None:
    before = nn.Module.__call__, torch.load, torch.utils.data.DataLoader.__init__
    with installed("pytorch0"):
        assert nn.Module.__call__ is not before[0]
        assert torch.tensor(3)[0] == 3
        assert torch.tensor([torch.tensor(3), torch.tensor(4)]).tolist() == [3, 4]
    assert (nn.Module.__call__, torch.load, torch.utils.data.DataLoader.__init__) == before
    with pytest.raises(IndexError):
        torch.tensor(3)[0]
    with pytest.raises(ImportError):
        import torchvision  # noqa: F401


# ---- natively ------------------------------------------------------------------------------------


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64, 3),
    )  # fmt: skip


def test_a_call_goes_through_a_plan_with_the_same_numbers() -> None:
    net, twin = small(), small()
    x, y = torch.rand(6, 1, 8, 8), torch.arange(6) % 3
    with installed("pytorch") as session:
        F.cross_entropy(net(x), y).backward()
        assert session.script.trained[id(net)].module is net
    F.cross_entropy(twin(x), y).backward()
    for mine, theirs in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-3, atol=1e-5)
    for mine, theirs in zip(net.buffers(), twin.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
    net.eval(), twin.eval()
    with installed("pytorch"), torch.no_grad():
        out = net(x)
    torch.testing.assert_close(out, twin(x).detach(), rtol=1e-4, atol=1e-5)


def test_a_network_of_torch_is_kept_in_native_layers(vision: Any) -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = small()[:3]
            self.conv = nn.Conv2d(4, 4, 3, padding="same", bias=False)
            self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))

        def forward(self, x: Any) -> Any:
            x = self.part(x)
            return torch.softmax(self.head(x + self.conv(x)), dim=1)

    net = Residual().eval()
    symbol = start((1, 8, 8))
    model = ported(Model(symbol, foreign.trace(net, (symbol,))[0]), start((1, 8, 8)))
    assert model is not None
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Conv2D", "BatchNormalization", "ReLU", "Conv2D", "Add",
                     "AdaptiveAveragePooling2D", "Flatten", "Dense", "Activation"]  # fmt: skip
    x = torch.rand(2, 1, 8, 8)
    expected = net(x).detach().numpy()
    np.testing.assert_allclose(model.predict(x.numpy(), verbose=0), expected, rtol=1e-4, atol=1e-5)
    odd = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Hardtanh())
    assert ported(Model(symbol, foreign.trace(odd, (symbol,))[0]), start((1, 8, 8))) is None


class Drawing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.part, self.calls = small(), 0

    def forward(self, x: Any) -> Any:
        return self.part(x) * torch.rand(1)


class Counting(Drawing):
    def forward(self, x: Any) -> Any:
        self.calls += 1
        return self.part(x)


class Choosing(Drawing):
    def forward(self, x: Any) -> Any:
        return self.part(x) if x.sum() > 0 else self.part(-x)


class Printing(Drawing):
    def forward(self, x: Any) -> Any:
        print("forward")
        return self.part(x)


@pytest.mark.parametrize("kind", [Drawing, Counting, Choosing, Printing])
def test_code_that_does_more_is_called_as_it_is(kind: type[nn.Module]) -> None:
    assert follow(small(), (1, 8, 8), abs) is not None
    net = kind()
    assert follow(net, (1, 8, 8), abs) is None
    assert net.calls == 0  # what the look at the code has changed is put back


# ---- data sets -----------------------------------------------------------------------------------


def test_batches_at_once_are_the_samples_one_by_one(vision: Any) -> None:
    t = vision.transforms
    change = t.Compose([t.ToTensor(), t.Normalize((0.1307,), (0.3081,))])
    digits = vision.datasets.MNIST(root="nowhere", train=False, transform=change, download=True)
    assert len(digits) == 10000 and digits.classes[7] == "7 - seven"
    assert digits.data.dtype == torch.uint8 and digits.test_labels[:3].tolist() == [7, 2, 1]
    one, many = [digits[i] for i in (3, 0)], digits.__getitems__([3, 0])
    for (x, y), (image, label) in zip(one, many, strict=True):
        assert torch.equal(x, image) and y == label and type(label) is int
    bare = vision.datasets.MNIST("nowhere")
    assert isinstance(bare[0][0], Image.Image) and bare[0][0].size == (28, 28) and bare[0][1] == 5


def test_data_sets_of_files(vision: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name in (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        rows = rng.integers(0, 256, (4, 3072), dtype=np.uint8)
        table = {b"data": rows, b"labels": [0, 1, 2, 9]}
        (folder / name).write_bytes(pickle.dumps(table, protocol=2))
    cifar = vision.datasets.CIFAR10(tmp_path, train=False, transform=vision.transforms.ToTensor())
    image, label = cifar[3]
    assert len(cifar) == 4 and label == 9 and cifar.classes[9] == "truck"
    expected = torch.from_numpy(rows[3].reshape(3, 32, 32)).float() / 255
    assert torch.equal(image, expected) and torch.equal(cifar.__getitems__([3])[0][0], expected)
    header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2])
    raw = tmp_path / "FashionMNIST/raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(header + bytes([1, 2, 3, 4]))
    (raw / "train-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    clothes = vision.datasets.FashionMNIST(tmp_path)
    assert clothes.data.tolist() == [[[1, 2]], [[3, 4]]] and clothes.targets.tolist() == [7, 9]
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("L", (5, 4)).save(tmp_path / "photos" / name / "one.png")
    photos = vision.datasets.ImageFolder(tmp_path / "photos")
    assert photos.class_to_idx == {"cat": 0, "dog": 1} and photos.targets == [0, 1]
    assert photos[1][0].mode == "RGB" and photos[1][0].size == (5, 4)
    fake = vision.datasets.FakeData(3, (3, 8, 6), 5)
    assert fake[2][0].size == (6, 8) and np.array_equal(fake[1][0], fake[1][0])


def element(kind: int, data: bytes) -> bytes:
    if len(data) <= 4:
        return struct.pack("<HH", kind, len(data)) + data.ljust(4, b"\0")
    return struct.pack("<II", kind, len(data)) + data + bytes(-len(data) % 8)


def matlab(**arrays: Any) -> bytes:
    out = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    for name, array in arrays.items():
        shape = struct.pack(f"<{array.ndim}i", *array.shape)
        parts = (element(6, bytes(8)), element(5, shape), element(1, name.encode()),
                 element(2, array.tobytes(order="F")))  # fmt: skip
        packed = zlib.compress(element(14, b"".join(parts)))
        out += struct.pack("<II", 15, len(packed)) + packed
    return out


def test_data_sets_in_files_of_their_own_kind(vision: Any, tmp_path: Path) -> None:
    sets, rng = vision.datasets, np.random.default_rng(0)
    x = rng.integers(0, 256, (32, 32, 3, 4), dtype=np.uint8)
    y = np.array([[10], [1], [9], [2]], np.uint8)
    (tmp_path / "test_32x32.mat").write_bytes(matlab(X=x, y=y))
    houses = sets.SVHN(tmp_path, split="test")
    assert houses.labels.tolist() == [0, 1, 9, 2]
    assert np.array_equal(np.array(houses[2][0]), x[..., 2])
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    pixels = rng.integers(0, 256, (2, 3, 96, 96), dtype=np.uint8)
    pixels.tofile(folder / "train_X.bin")
    np.array([1, 10], np.uint8).tofile(folder / "train_y.bin")
    photos = sets.STL10(tmp_path, split="train", transform=vision.transforms.ToTensor())
    assert photos.labels.tolist() == [0, 9] and photos[1][0].shape == (3, 96, 96)
    assert photos[1][0][2, 5, 7] == np.float32(pixels[1, 2, 7, 5]) / np.float32(255)
    row = " ".join(f"{n}:{-1 if n % 2 else 1}" for n in range(1, 257))
    (tmp_path / "usps.bz2").write_bytes(bz2.compress(f"7 {row}\n1 {row}\n".encode()))
    digits = sets.USPS(tmp_path)
    assert digits.targets == [6, 0] and np.array(digits[0][0])[3, :4].tolist() == [0, 255, 0, 255]
    with pytest.raises(StriateError, match="there is no such part"):
        sets.SVHN(tmp_path, split="all")
    (tmp_path / "train_32x32.mat").write_bytes(bytes(128) + b"\x0f\0\0\0\4\0\0\0abcd")
    with pytest.raises(StriateError, match="is not a file of MATLAB 5"):
        sets.SVHN(tmp_path)


def test_a_data_set_is_printed_as_in_torchvision(vision: Any) -> None:
    t = vision.transforms
    change = t.Compose([t.ToTensor(), t.Normalize((0.5,), (0.5,))])
    assert (
        repr(vision.datasets.MNIST("data", train=False, transform=change))
        == """\
Dataset MNIST
    Number of datapoints: 10000
    Root location: data
    Split: Test
    StandardTransform
Transform: Compose(
               ToTensor()
               Normalize(mean=(0.5,), std=(0.5,), inplace=False)
           )"""
    )


# ---- transforms and pictures ---------------------------------------------------------------------

PICTURE = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6))
CHANGES: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any]] = {
    "ToTensor": (lambda t: t.ToTensor(), lambda x: (tuple(x.shape), round(x[0, 1, 0].item(), 6)),
                 ((1, 4, 6), 0.023529)),
    "Pad": (lambda t: t.Pad((1, 2)), lambda x: (x.size, x.getpixel((1, 2))), ((8, 8), 0)),
    "CenterCrop": (lambda t: t.CenterCrop(2), lambda x: np.array(x).tolist(), [[8, 9], [14, 15]]),
    "Resize of the smaller side": (lambda t: t.Resize(8), lambda x: x.size, (12, 8)),
    "Resize": (lambda t: t.Resize((2, 3)), lambda x: x.size, (3, 2)),
    "flips": (lambda t: t.Compose([t.RandomHorizontalFlip(1.0), t.RandomVerticalFlip(p=1.0)]),
              lambda x: x.getpixel((0, 0)), 23),
    "RandomCrop": (lambda t: t.RandomCrop(4, padding=4), lambda x: x.size, (4, 4)),
    "RandomResizedCrop": (lambda t: t.RandomResizedCrop(5), lambda x: x.size, (5, 5)),
    "RandomRotation": (lambda t: t.RandomRotation((180, 180)), lambda x: x.getpixel((0, 0)), 23),
    "RandomAffine": (lambda t: t.RandomAffine(0, translate=(0.1, 0.1)), lambda x: x.size, (6, 4)),
    "Grayscale": (lambda t: t.Grayscale(3), lambda x: x.mode, "RGB"),
    "RandomPerspective": (lambda t: t.RandomPerspective(0.5, 1.0), lambda x: x.size, (6, 4)),
    "RandomAutocontrast": (lambda t: t.RandomAutocontrast(1.0),
                           lambda x: (x.getpixel((0, 0)), x.getpixel((5, 3))), (0, 255)),
    "Lambda": (lambda t: t.Lambda(lambda x: x.rotate(90)), lambda x: x.size, (6, 4)),
    "ColorJitter": (lambda t: t.ColorJitter(0.2, 0.2, 0.2, 0.1), lambda x: x.size, (6, 4)),
    "RandomApply": (lambda t: t.RandomApply([t.Pad(1)], p=1.0), lambda x: x.size, (8, 6)),
    "back to a picture": (lambda t: t.Compose([t.ToTensor(), t.ToPILImage()]),
                          lambda x: np.array(x).tolist(), np.arange(24).reshape(4, 6).tolist()),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_transform_changes_a_picture(vision: Any, name: str) -> None:
    make, look, expected = CHANGES[name]
    torch.manual_seed(0)
    assert look(make(vision.transforms)(PICTURE)) == expected


def test_functions_on_tensors(vision: Any) -> None:
    f = vision.transforms.functional
    x = torch.arange(24, dtype=torch.uint8).reshape(1, 4, 6)
    assert f.hflip(x)[0, 0, 0] == 5 and f.vflip(x)[0, 0, 0] == 18
    assert f.crop(x, -1, 4, 3, 3)[0].tolist() == [[0, 0, 0], [4, 5, 0], [10, 11, 0]]
    assert f.pad(x, 1, padding_mode="edge").shape == (1, 6, 8)
    assert f.affine(PICTURE, 0, (1, 0), 1.0, 0).getpixel((1, 0)) == 0
    assert f.rotate(PICTURE, 180).getpixel((0, 0)) == 23
    white = torch.ones(1, 3, 2, 2)
    assert vision.utils.make_grid(torch.zeros(3, 1, 2, 2), nrow=2, pad_value=1.0).shape == (
        3,
        10,
        10,
    )
    assert torch.equal(vision.utils.make_grid(white), white[0])


def test_colours_of_tensors_keep_their_dtype(vision: Any) -> None:
    t, f = vision.transforms, vision.transforms.functional
    grey, red = torch.full((2, 1, 3, 3), 0.5), torch.tensor([200, 0, 0], dtype=torch.uint8)
    assert torch.equal(t.Grayscale(3)(grey), grey.expand(2, 3, 3, 3))
    image = red.reshape(3, 1, 1).expand(3, 4, 4)
    assert f.to_grayscale(image)[0, 0, 0] == int(0.2989 * 200)
    assert f.adjust_brightness(image, 0.5)[:, 0, 0].tolist() == [100, 0, 0]
    assert f.adjust_saturation(image, 0.0)[:, 0, 0].tolist() == [59, 59, 59]
    assert f.adjust_hue(image, 0.5)[:, 0, 0].tolist()[0] == 0  # red is turned to cyan
    assert f.adjust_contrast(image / 255, 1.0).dtype == torch.float32
    for given in (image, image / 255):
        assert t.ColorJitter(0.4, 0.4, 0.4, 0.1)(given).dtype == given.dtype


COLOURS = Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3))


@pytest.mark.parametrize("policy", ["imagenet", "cifar10", "svhn"])
def test_operations_that_are_drawn_keep_size_and_kind(vision: Any, policy: str) -> None:
    t = vision.transforms
    for change in (t.AutoAugment(policy), t.RandAugment(3, 12), t.TrivialAugmentWide(), t.AugMix(),
                   t.ElasticTransform(20.0, 2.0)):  # fmt: skip
        for _ in range(30):
            assert change(COLOURS).size == (8, 8)
        bytes_of = t.PILToTensor()(COLOURS)
        out = change(bytes_of)
        assert out.dtype == torch.uint8 and out.shape == (3, 8, 8)


def test_strengths_of_the_drawn_operations() -> None:
    from striate.dialects.pytorch.transforms_policies import OPERATIONS, POLICIES, space, wide

    table = space(31, (331, 662))
    assert table["TranslateX"][0][-1] == 300 and table["TranslateY"][0][-1] == 150
    assert table["Posterize"][0].tolist()[::10] == [8, 7, 5, 4]
    assert wide(31)["Posterize"][0][-1] == 2 and wide(31)["Rotate"][0][-1] == 135
    words = [word for text in POLICIES.values() for word in text.replace(";", " ").split()]
    assert set(words[::3]) <= set(OPERATIONS) and len(words) == 3 * 2 * 25 * 3


def test_functions_on_the_values_of_pictures(vision: Any) -> None:
    f = vision.transforms.functional
    x = torch.tensor([[[0, 100, 200, 255]]], dtype=torch.uint8)
    assert f.invert(x).tolist() == [[[255, 155, 55, 0]]]
    assert f.solarize(x, 200).tolist() == [[[0, 100, 55, 0]]]
    assert f.posterize(x, 1).tolist() == [[[0, 0, 128, 128]]]
    assert f.adjust_gamma(x, 2.0).tolist() == [[[0, 39, 157, 255]]]
    assert f.equalize(x)[0, 0, 0] == 0 and f.equalize(x)[0, 0, 3] == 255
    crops = f.five_crop(PICTURE, (2, 3))
    assert [one.getpixel((0, 0)) for one in crops] == [0, 3, 12, 15, 8]
    assert f.ten_crop(PICTURE, (2, 3))[5].getpixel((0, 0)) == 5
    assert f.erase(x, 0, 1, 1, 2, 7).tolist() == [[[0, 7, 7, 255]]]


@pytest.mark.parametrize("kind", ["MixUp", "CutMix"])
def test_pairs_of_a_batch_are_mixed_with_their_labels(kind: str) -> None:
    from striate.dialects.pytorch.served import NEWER

    x = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1).expand(2, 1, 8, 8)
    images, shares = NEWER["RandomChoice"]([NEWER[kind](num_classes=3)])(x, torch.tensor([0, 2]))
    assert shares.sum(1).tolist() == [1.0, 1.0]
    torch.testing.assert_close(images.mean((1, 2, 3)), shares[:, 2])  # as much of it is a one


def test_summaries_of_other_packages(capsys: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 10))
    with installed("pytorch"):
        import torchinfo  # type: ignore[import-not-found]
        import torchsummary  # type: ignore[import-not-found]

        torchsummary.summary(net, (1, 8, 8), device="cpu")
        found = torchinfo.summary(net, input_size=(4, 1, 8, 8), verbose=0)
    lines = capsys.readouterr().out.splitlines()
    assert lines[3] == "            Conv2d-1              [-1, 2, 6, 6]              20"
    assert lines[6] == "            Linear-4                   [-1, 10]             730"
    assert "Total params: 750" in lines and found.total_params == 750 and net.training
    assert "├─Conv2d: 1-1                            [4, 2, 6, 6]              20" in str(found)


def test_a_perspective_of_corners_that_stay_changes_nothing(vision: Any) -> None:
    corners = [(0, 0), (5, 0), (5, 3), (0, 3)]
    f = vision.transforms.functional
    same = f.perspective(PICTURE, corners, corners, "nearest")
    assert np.array_equal(np.array(same), np.array(PICTURE))
    turned = f.perspective(PICTURE, corners, corners[::-1], "nearest")
    # Pillow asks for the middle of a cell: row 0 is read at 3 - 0.5, row 1 at 3 - 1.5
    assert np.array_equal(np.array(turned)[:2], np.array(PICTURE)[[2, 1]])


COUNTS = {
    "squeezenet1_0": 1_248_424, "squeezenet1_1": 1_235_496, "densenet121": 7_978_856,
    "googlenet": 13_004_888, "mobilenet_v2": 3_504_872, "mobilenet_v3_large": 5_483_032,
    "mobilenet_v3_small": 2_542_856, "efficientnet_b0": 5_288_548, "efficientnet_b4": 19_341_616,
    "shufflenet_v2_x1_0": 2_278_604, "wide_resnet50_2": 68_883_240,
    "vit_b_16": 86_567_656, "vit_l_32": 306_535_400, "swin_t": 28_288_354, "swin_b": 87_768_224,
    "convnext_tiny": 28_589_128, "convnext_base": 88_591_464, "regnet_x_1_6gf": 9_190_136,
    "regnet_y_400mf": 4_344_144, "regnet_y_32gf": 145_046_770, "mnasnet0_5": 2_218_512,
    "mnasnet1_3": 6_282_256, "efficientnet_v2_s": 21_458_488, "efficientnet_v2_l": 118_515_272,
    "resnext50_32x4d": 25_028_904, "resnet18": 11_689_512, "resnet50": 25_557_032,
}  # fmt: skip


def test_networks_have_the_weights_of_the_published_files(vision: Any) -> None:
    models = vision.models
    for name, count in COUNTS.items():
        with torch.device("meta"):
            net = getattr(models, name)(weights=None).eval()
            assert net(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)
        assert sum(weight.numel() for weight in net.parameters()) == count
    names = list(net.state_dict())
    assert names[:2] == ["conv1.weight", "bn1.weight"] and "layer1.0.downsample.0.weight" in names
    with torch.device("meta"):
        vgg, alex = models.vgg16(num_classes=7), models.alexnet()
    assert vgg.classifier[6].out_features == 7 and "features.28.weight" in vgg.state_dict()
    assert sum(weight.numel() for weight in alex.parameters()) == 61_100_840


PIXELS = {  # as published, with the side output
    "fcn_resnet50": 35_322_218, "deeplabv3_resnet101": 60_996_202,
    "deeplabv3_mobilenet_v3_large": 11_029_328, "lraspp_mobilenet_v3_large": 3_221_538,
}  # fmt: skip


@pytest.mark.parametrize("name", PIXELS)
def test_networks_for_pixels_have_the_weights_of_the_published_files(
    vision: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = getattr(vision.models.segmentation, name)
    words = {} if name.startswith("lraspp") else {"aux_loss": True}
    with torch.device("meta"):
        net = made(weights=None, weights_backbone=None, **words).eval()
        out = net(torch.zeros(1, 3, 64, 96))
        other = made(pretrained=False, num_classes=3)
    assert sum(weight.numel() for weight in net.parameters()) == PIXELS[name]
    assert {word: tuple(one.shape) for word, one in out.items()} == dict.fromkeys(
        ["out", *(["aux"] if words else [])], (1, 21, 64, 96))  # fmt: skip
    assert other.eval()(torch.zeros(1, 3, 32, 32, device="meta"))["out"].shape == (1, 3, 32, 32)
    assert capsys.readouterr().err.count("its backbone begins at random") == 1


def test_names_that_forks_of_its_networks_import(vision: Any, tmp_path: Path) -> None:
    from torchvision.datasets.utils import calculate_md5, makedir_exist_ok
    from torchvision.models.resnet import model_urls
    from torchvision.models.vgg import cfg, model_urls as vggs

    assert model_urls["resnet50"] == "https://download.pytorch.org/models/resnet50-19c8e357.pth"
    assert "vgg16_bn" in vggs and "resnet18" not in vggs and cfg["A"][:2] == [64, "M"]
    models = vision.models
    with torch.device("meta"):
        assert isinstance(models.get_model_builder("regnet_x_400mf")(), models.RegNet)
        assert isinstance(models.shufflenet_v2_x0_5(), models.ShuffleNetV2)
    makedir_exist_ok(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "c").write_bytes(b"abc")
    assert calculate_md5(tmp_path / "a" / "b" / "c") == "900150983cd24fb0d6963f7d28e17f72"


def test_parts_of_networks_for_pixels(vision: Any) -> None:
    from torchvision.models.segmentation.deeplabv3 import DeepLabHead
    from torchvision.models.segmentation.fcn import FCNHead

    net = vision.models.segmentation.fcn_resnet50(weights_backbone=None)
    net.classifier = DeepLabHead(2048, 2)
    names = list(net.state_dict())
    assert names[0] == "backbone.conv1.weight" and "classifier.0.convs.4.1.weight" in names
    assert net.backbone.layer4[0].conv2.dilation == (2, 2)
    assert FCNHead(8, 3)(torch.ones(2, 8, 4, 4)).shape == (2, 3, 4, 4)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the place of where weights are published."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    (tmp_path / "mirror").mkdir()
    monkeypatch.setattr(models_published, "ADDRESS", f"{(tmp_path / 'mirror').as_uri()}/{{}}.pth")
    return tmp_path / "mirror"


def test_trained_weights_that_cannot_be_had_are_told_with_their_file_or_drawn(
    vision: Any, mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = mirror.parent / "hub" / "checkpoints"
    for name, file in (("resnet18", "file resnet18-5c106cde.pth"), ("vit_b_16", "file"),
                       ("inception_v3", "file inception_v3_google-1a9a5a14.pth")):  # fmt: skip
        with pytest.raises(StriateError) as caught:
            getattr(vision.models, name)(weights="DEFAULT")
        assert f"\n  need  the published {file} in {folder}\n" in str(caught.value)
        assert "STRIATE_WEIGHTS=drawn in the environment goes on" in str(caught.value)
    monkeypatch.setenv("STRIATE_WEIGHTS", "drawn")
    net = vision.models.googlenet(pretrained=True, num_classes=7)
    assert net.eval()(torch.ones(1, 3, 64, 64)).shape == (1, 7)
    assert "note: googlenet begins with weights that are drawn" in capsys.readouterr().err
    said = vision.models.vgg16(weights=vision.models.VGG16_Weights.DEFAULT)
    assert said.classifier[6].out_features == 1000


def test_trained_weights_are_fetched_once_and_only_those_that_are_published(
    vision: Any, mirror: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    net = vision.models.squeezenet1_1()
    torch.save(net.state_dict(), mirror / "weights")
    content = (mirror / "weights").read_bytes()
    stem = f"squeezenet1_1-{hashlib.sha256(content).hexdigest()[:8]}"
    monkeypatch.setitem(models_published.FILES, "squeezenet1_1", stem)
    file = mirror / f"{stem}.pth"
    file.write_bytes(content[:-1])
    with pytest.raises(StriateError, match=r"could not be fetched\n  got   .*: another file, of"):
        vision.models.squeezenet1_1(pretrained=True)
    file.write_bytes(content)
    assert torch.equal(vision.models.squeezenet1_1(pretrained=True).features[0].weight,
                       net.features[0].weight)  # fmt: skip
    assert f"note: fetching {file.as_uri()}, once" in capsys.readouterr().err
    file.unlink()
    vision.models.squeezenet1_1(pretrained=True)
    assert "fetching" not in capsys.readouterr().err


def test_trained_weights_are_read_where_torch_keeps_them(
    vision: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    net = vision.models.squeezenet1_1()
    torch.save({**net.state_dict(), "aux.fc.weight": torch.ones(1)},
               tmp_path / "checkpoints/squeezenet1_1-b8a52dc0.pth")  # fmt: skip
    weights = vision.models.SqueezeNet1_1_Weights.IMAGENET1K_V1
    for words in ({"pretrained": True}, {"weights": weights}, {"weights": "DEFAULT"}):
        other = vision.models.squeezenet1_1(**words)
        assert torch.equal(other.features[0].weight, net.features[0].weight)
    assert weights.transforms()(Image.new("RGB", (300, 280))).shape == (3, 224, 224)


OF_THE_TIME = """
import torch
from torch.autograd import Variable
output = torch.tensor([[4., 3, 2, 1], [1, 4, 3, 2], [1, 2, 4, 3], [1, 2, 4, 3]])
pred = output.topk(2, 1, True, True)[1].t()
correct = pred.eq(Variable(torch.arange(4)).cuda(async=True).view(1, -1).expand_as(pred))
print([correct[:k].view(-1).float().sum(0).item() for k in (1, 2)])
"""


def test_copies_that_do_not_wait_and_views_of_what_is_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_text(OF_THE_TIME)
    run_script(tmp_path / "script.py", root=tmp_path / "runs")
    assert capsys.readouterr().out.endswith("[3.0, 4.0]\n")


REFUSED_TODAY = """
import torch
from torch._six import container_abcs, string_classes
from torch.autograd import Function, Variable
from torch.autograd.gradcheck import zero_gradients
class Sign(Function):
    def __init__(self, scale): self.scale = scale
    def forward(self, x): self.save_for_backward(x); return x.sign()
    def backward(self, g):
        x, = self.saved_tensors
        return self.scale * g * (1 - (x.abs() > 1)).float()
x = Variable(torch.FloatTensor([0.5, -2.0, 0.25]), requires_grad=True)
loss = Sign(3)(x).sum(); loss.backward()
kept, whole = x.grad.tolist(), torch.LongTensor([7, -7]).div_(2).tolist()
zero_gradients(x)
mask = torch.ByteTensor([1, 0, 1])
print(kept, x.grad.tolist(), loss.data.cpu().numpy()[0], whole,
      torch.zeros(3).masked_fill_(mask, 5).tolist(), x.data.masked_select(mask).tolist(),
      ((x > 0) - (x < 0)).tolist(), torch.gels(torch.ones(2, 1), torch.eye(2))[0].tolist(),
      torch.symeig(torch.diag(torch.Tensor([2, 3])), True)[0].tolist())
"""


def test_what_torch_refuses_today_does_what_it_did(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "script.py").write_text(REFUSED_TODAY)
    run_script(tmp_path / "script.py", root=tmp_path / "runs")
    assert capsys.readouterr().out.split("\n")[-2] == (
        "[3.0, 0.0, 3.0] [0.0, 0.0, 0.0] 1.0 [3, -3] [5.0, 0.0, 5.0] [0.5, 0.25] "
        "[1, 255, 1] [[1.0], [1.0]] [2.0, 3.0]"
    )


# ---- messages ------------------------------------------------------------------------------------

MESSAGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "clothes": (lambda v: v.datasets.FashionMNIST("data"), """\
datasets.FashionMNIST: the data set is not on this machine, and nothing is fetched
  got   no such files in data/FashionMNIST/raw
  need  train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz
  fix   put the published files into data/FashionMNIST/raw; datasets.MNIST is shipped"""),
    "photographs": (lambda v: v.datasets.CIFAR10("data", train=False), """\
datasets.CIFAR10: the data set is not on this machine, and nothing is fetched
  got   no such files in data/cifar-10-batches-py
  need  test_batch"""),
    "no folders": (lambda v: v.datasets.ImageFolder("nowhere"), """\
datasets.ImageFolder: there are no images
  got   nowhere: no folders
  need  a folder for each class, with images in it"""),
    "a tensor twice": (lambda v: v.transforms.ToTensor()(torch.ones(2, 2)), """\
transforms.ToTensor: takes a picture or an array, not a tensor
  got   a tensor of shape (2, 2)
  need  a PIL.Image, or a numpy array (H, W, C)
  fix   leave ToTensor out"""),
    "a picture to Normalize": (lambda v: v.transforms.Normalize((0.5,), (0.5,))(PICTURE), """\
transforms.Normalize: takes a tensor of floats
  got   a Image of no numbers
  fix   transforms.ToTensor() before it"""),
    "a crop too large": (lambda v: v.transforms.RandomCrop(9)(PICTURE), """\
transforms.RandomCrop: the image is smaller than the crop
  got   an image of 4 x 6
  need  at least 9 x 9
  fix   padding=..., or pad_if_needed=True"""),
    "a name": (lambda v: v.transforms.RandomHorizontalFlop, """\
torchvision.transforms.RandomHorizontalFlop: PyTorch has no such name here
  got   RandomHorizontalFlop
  fix   did you mean "RandomHorizontalFlip"?"""),
    "a detector": (lambda v: v.models.detection, """\
torchvision.models.detection: PyTorch has no such name here
  got   detection
  need  networks of whole images or their pixels (models.segmentation): there are no detectors"""),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_what_cannot_be_done_is_said(vision: Any, name: str) -> None:
    call, expected = MESSAGES[name]
    with pytest.raises(StriateError) as caught:
        call(vision)
    assert str(caught.value).startswith(expected)


class Harmful:
    def __reduce__(self) -> Any:
        return print, ("run",)


def test_a_batch_file_runs_nothing(vision: Any, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "test_batch").write_bytes(pickle.dumps({"data": Harmful()}))
    with pytest.raises(StriateError) as caught:
        vision.datasets.CIFAR10(tmp_path, train=False)
    assert str(caught.value) == (
        f"{folder / 'test_batch'}: is not a batch of CIFAR\n"
        "  got   builtins.print\n"
        "  fix   fetch the file again"
    )
    assert capsys.readouterr().out == ""


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "nesterov": lambda p: torch.optim.SGD(p, 0.1, 0.9, nesterov=True, weight_decay=1e-3),
    "dampened": lambda p: torch.optim.SGD(p, torch.tensor(0.1), 0.9, dampening=0.2),
    "maximized": lambda p: torch.optim.SGD(p, 0.01, 0.9, maximize=True),
    "adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.01, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, torch.tensor(0.01), weight_decay=0.2),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.01),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers_update_in_one_pass_with_the_numbers_of_torch(make: Any) -> None:
    def trained() -> tuple[list[torch.Tensor], dict[str, Any]]:
        draw = torch.Generator().manual_seed(0)
        first, second, transposed = (torch.randn(8, 5, generator=draw) for _ in range(3))
        weights = [one.requires_grad_() for one in (first, second, transposed.T)]
        optimizer = make([{"params": weights[:1]}, {"params": weights[1:], "lr": 0.02}])
        for step in range(5):
            if step == 3:
                optimizer.param_groups[0]["lr"] = 0.003
            optimizer.zero_grad()
            used = weights[: 3 if step % 2 else 2]  # the steps of one weight are fewer
            sum((one.reshape(-1) * torch.randn(40, generator=draw)).pow(2).sum()
                for one in used).backward()  # fmt: skip
            optimizer.step()
        return [one.detach() for one in weights], optimizer.state_dict()

    plain, kept = trained()
    assert not kept["param_groups"][0]["fused"]
    with installed("pytorch"):
        found, mine = trained()
    assert mine["param_groups"][0]["fused"]
    torch.testing.assert_close(found, plain, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(mine["state"], kept["state"], rtol=1e-5, atol=1e-6)


def test_an_optimizer_is_left_as_a_script_asks_for_it() -> None:
    exact, single = (torch.zeros(3, dtype=kind) for kind in (torch.float64, torch.float32))
    with installed("pytorch"):
        assert torch.optim.Adam([exact]).param_groups[0]["fused"] is None
        assert torch.optim.Adam([single], foreach=True).param_groups[0]["fused"] is None
        assert "fused" not in torch.optim.Adadelta([single]).param_groups[0]


# ---- what torch compiles, and other numbers ------------------------------------------------------


def test_nothing_is_compiled_for_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torch, "compile", lambda model=None, **words: asked.append(words))
    with installed("pytorch"):
        torch.compile(nn.ReLU(), mode="max-autotune")
        torch.compile(fullgraph=True)
        torch.compile(nn.ReLU(), backend="aot_eager")
    assert asked == [
        {"backend": "eager"},
        {"backend": "eager", "fullgraph": True},
        {"backend": "aot_eager", "mode": None, "options": None},
    ]


def test_autocast_gives_its_own_numbers() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3))
    x = torch.rand(4, 1, 8, 8)
    with installed("pytorch"):
        assert net(x).dtype is torch.float32
        with torch.autocast("cpu", torch.bfloat16):
            y = net(x)
            assert y.dtype is torch.bfloat16
        y.float().sum().backward()
        assert net(x).dtype is torch.float32
    assert net[0].weight.grad is not None and net[0].weight.grad.dtype is torch.float32
