"""Programs as others write them, of PyTorch, BigDL and ReNom: each asserts what it must mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.dialects.program import run_script

TORCH = """
import torch, torch.nn as nn, torch.nn.functional as F, torch.optim as optim
import torchvision, numpy as np, matplotlib.pyplot as plt
from torch.utils.data import DataLoader
from torchvision import datasets, models, transforms
torch.manual_seed(0)
"""
PYTORCH: dict[str, str] = {
    "transfer on folders": TORCH + """
tf = transforms.Compose([transforms.RandomResizedCrop(24), transforms.RandomHorizontalFlip(),
                         transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.25] * 3)])
sets = {x: datasets.ImageFolder('photos/' + x, tf) for x in ['train', 'val']}
loaders = {x: DataLoader(sets[x], batch_size=4, shuffle=True, num_workers=4) for x in sets}
net = models.squeezenet1_1(weights=None)
for weight in net.parameters():
    weight.requires_grad = False
net.classifier[1] = nn.Conv2d(512, 2, kernel_size=1)
kept = net.features[0].weight.clone()
optimizer = optim.SGD(net.classifier.parameters(), lr=0.01, momentum=0.9)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
for epoch in range(25):
    for phase in ['train', 'val']:
        net.train(phase == 'train')
        right = 0
        for x, y in loaders[phase]:
            optimizer.zero_grad()
            with torch.set_grad_enabled(phase == 'train'):
                out = net(x)
                right += torch.sum(out.argmax(1) == y.data)
                loss = F.cross_entropy(out, y)
                if phase == 'train':
                    loss.backward(); optimizer.step()
        print(f'{phase} Acc: {right.double() / len(sets[phase]):.4f}')
    scheduler.step()
assert torch.equal(kept, net.features[0].weight) and sets['val'].classes == ['ants', 'bees']
assert abs(scheduler.get_last_lr()[0] - 0.001) < 1e-9
""",
    "a generator and a discriminator": TORCH + """
import torchvision.utils as vutils
from IPython.display import HTML
loader = DataLoader(datasets.MNIST('d', download=True, transform=transforms.Compose([
    transforms.Resize(16), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])), 50)
def begin(m):
    if m.__class__.__name__.find('Conv') != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
G = nn.Sequential(nn.ConvTranspose2d(8, 8, 4, 1, 0, bias=False), nn.BatchNorm2d(8), nn.ReLU(True),
                  nn.ConvTranspose2d(8, 4, 4, 2, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(True),
                  nn.ConvTranspose2d(4, 1, 4, 2, 1, bias=False), nn.Tanh())
D = nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True),
                  nn.Conv2d(4, 1, 8, 1, 0), nn.Sigmoid(), nn.Flatten(0))
G.apply(begin); D.apply(begin)
oG, oD = (optim.Adam(net.parameters(), lr=2e-3, betas=(0.5, 0.999)) for net in (G, D))
first = G[0].weight.clone()
for epoch in range(5):
    for x, _ in loader:
        D.zero_grad()
        label = torch.full((len(x),), 1.0)
        real = F.binary_cross_entropy(D(x), label); real.backward()
        fake = G(torch.randn(len(x), 8, 1, 1))
        wrong = F.binary_cross_entropy(D(fake.detach()), label.fill_(0.0)); wrong.backward()
        oD.step()
        G.zero_grad()
        F.binary_cross_entropy(D(fake), label.fill_(1.0)).backward(); oG.step()
assert fake.shape == (50, 1, 16, 16) and not torch.equal(first, G[0].weight)
grid = vutils.make_grid(fake, padding=2, normalize=True)
assert 0 <= grid.min() and grid.max() <= 1 and not grid.requires_grad
plt.imshow(np.transpose(grid, (1, 2, 0))); plt.show()
HTML('x')
""",
    "an attack along the gradient": TORCH + """
loader = DataLoader(datasets.MNIST('d', transform=transforms.ToTensor()), 50, shuffle=True)
net = nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(),
                    nn.Linear(144, 10))
optimizer = optim.Adam(net.parameters(), 0.02)
n_epochs, epoch = 9, 0
while epoch < n_epochs:
    for x, y in loader:
        optimizer.zero_grad(); F.cross_entropy(net(x), y).backward(); optimizer.step()
    epoch += 1
assert epoch == 1
net.eval()
x, y = next(iter(loader))
x.requires_grad = True
before = F.cross_entropy(net(x), y)
net.zero_grad(); before.backward()
after = F.cross_entropy(net((x + 0.1 * x.grad.data.sign()).clamp(0, 1)), y)
assert after > before
""",
    "siamese branches and a triplet": TORCH + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(1, 4, 3), nn.PReLU(),
                                 nn.BatchNorm2d(4), nn.MaxPool2d(4))
        self.fc = nn.Linear(196, 5)
    def one(self, x):
        return self.fc(self.cnn(x).view(x.size(0), -1))
    def forward(self, a, b, c):
        return self.one(a), self.one(b), self.one(c)
data = datasets.MNIST('d', train=True, transform=transforms.ToTensor())
labels = data.train_labels.numpy()
places = {label: np.where(labels == label)[0] for label in set(labels)}
net, loss_fn = Net(), nn.TripletMarginLoss(margin=1.0)
optimizer = optim.Adam(net.parameters(), lr=1e-2)
losses = []
for step in range(12):
    picks = [(np.random.choice(places[k], 2), np.random.choice(places[(k + 1) % 10]))
             for k in sorted(places)]
    a, b, c = (torch.stack([data[int(i)][0] for i in rows]) for rows in
               ([p[0][0] for p in picks], [p[0][1] for p in picks], [p[1] for p in picks]))
    loss = loss_fn(*net(a, b, c))
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    losses.append(loss.item())
assert np.mean(losses[-4:]) < np.mean(losses[:4])
""",
    "a U-Net with skips, an autocast and a bar": TORCH + """
from tqdm import tqdm
class Up(nn.Module):
    def __init__(self):
        super().__init__()
        self.inc, self.down = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.up = nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)
        self.out = nn.Conv2d(16, 1, 1)
    def forward(self, x):
        a = F.relu(self.inc(x))
        b = self.up(F.relu(self.down(F.max_pool2d(a, 2))))
        dy, dx = a.size(2) - b.size(2), a.size(3) - b.size(3)
        return self.out(torch.cat([a, F.pad(b, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])], 1))
y, x = np.mgrid[:25, :25]
masks = torch.stack([torch.tensor((y - i) ** 2 + (x - 12) ** 2 < 25, dtype=torch.float)[None]
                     for i in range(5, 21)])
images = masks + 0.1 * torch.randn_like(masks)
net = Up()
optimizer = optim.RMSprop(net.parameters(), lr=1e-2)
plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer, 'max', patience=2)
scaler = torch.amp.GradScaler(enabled=False)
with tqdm(total=20) as bar:
    for step in range(20):
        with torch.autocast('cpu', enabled=False):
            loss = F.binary_cross_entropy_with_logits(net(images), masks)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(optimizer); scaler.update()
        bar.update(1); bar.set_postfix(loss=loss.item())
net.eval()
with torch.inference_mode():
    found = (torch.sigmoid(net(images)) > 0.5).float()
dice = 2 * (found * masks).sum() / (found.sum() + masks.sum())
plateau.step(dice)
assert dice > 0.9, dice
""",
    "distillation, mixed labels and a report": TORCH + """
from sklearn.metrics import classification_report, confusion_matrix
from torchvision.transforms import v2
data = datasets.MNIST('d', transform=transforms.Compose([transforms.RandAugment(1, 3),
                                                         transforms.ToTensor()]))
loader = DataLoader(data, 50, sampler=torch.utils.data.SubsetRandomSampler(range(150)))
rest = DataLoader(torch.utils.data.Subset(data, range(150, 200)), 50)
def make(width):
    return nn.Sequential(nn.Conv2d(1, width, 3, 2), nn.SiLU(), nn.AdaptiveAvgPool2d(4),
                         nn.Flatten(), nn.LazyLinear(10))
teacher, student = make(16), make(4)
teacher(torch.zeros(1, 1, 28, 28)); student(torch.zeros(1, 1, 28, 28))
mix = v2.MixUp(num_classes=10)
optimizer = optim.AdamW(teacher.parameters(), lr=1e-2)
schedule = optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, steps_per_epoch=3, epochs=5)
rates = []
for epoch in range(5):
    for x, y in loader:
        x, shares = mix(x, y)
        loss = F.cross_entropy(teacher(x), shares, label_smoothing=0.1)
        optimizer.zero_grad(); loss.backward(); optimizer.step(); schedule.step()
        rates.append(schedule.get_last_lr()[0])
optimizer = optim.SGD(student.parameters(), 0.1, momentum=0.9, nesterov=True)
for x, y in loader:
    with torch.no_grad():
        soft = F.softmax(teacher(x) / 4, 1)
    loss = nn.KLDivLoss(reduction='batchmean')(F.log_softmax(student(x) / 4, 1), soft) * 16
    optimizer.zero_grad(); loss.backward(); optimizer.step()
x, y = next(iter(rest))
said = student.eval()(x).argmax(1).numpy()
assert confusion_matrix(y, said, labels=range(10)).sum() == 50 and rates[2] > rates[0]
assert 'weighted avg' in classification_report(y, said, labels=range(10), zero_division=0)
""",
    "blocks that are added, in parallel": TORCH + """
class Block(nn.Module):
    expansion = 1
    def __init__(self, planes, out, stride=1):
        super(Block, self).__init__()
        self.conv1 = nn.Conv2d(planes, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or planes != out:
            self.shortcut = nn.Sequential(nn.Conv2d(planes, out, 1, stride, bias=False),
                                          nn.BatchNorm2d(out))
    def forward(self, x):
        out = self.bn1(self.conv1(x))
        out += self.shortcut(x)
        return F.relu(out)
net = nn.Sequential(Block(1, 4, 2), Block(4, 8, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                    nn.Linear(8, 10))
net = torch.nn.DataParallel(net)
transform = transforms.Compose([transforms.RandomCrop(28, padding=4), transforms.ToTensor()])
loader = DataLoader(datasets.MNIST('d', transform=transform), 100)
optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
for epoch in range(0, 200):
    for x, y in loader:
        optimizer.zero_grad(); F.cross_entropy(net(x), y).backward(); optimizer.step()
    scheduler.step()
torch.save({'net': net.state_dict(), 'epoch': epoch}, './ckpt.pth')
back = torch.load('./ckpt.pth')
net.load_state_dict(back['net'])
assert back['epoch'] == 0 and list(back['net'])[0] == 'module.0.conv1.weight'
traced = torch.jit.trace(net.module.eval(), torch.zeros(2, 1, 28, 28))
assert torch.allclose(traced(x), net.module(x), atol=1e-4)
""",
}  # fmt: skip
BIGDL: dict[str, str] = {
    "inception with names, drawn again": """
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.nn.initialization_method import *
from bigdl.optim.optimizer import *
from bigdl.util.common import *
from bigdl.dataset import mnist
sc = SparkContext.getOrCreate(create_spark_conf())
init_engine()
def tower(sizes, kernel, pad, name):
    path = Sequential()
    path.add(SpatialConvolution(4, sizes, kernel, kernel, 1, 1, pad, pad)
             .set_init_method(Xavier(), ConstInitMethod(0.1)).set_name(name))
    return path.add(ReLU(True))
concat = Concat(2).add(tower(2, 1, 0, "inception/1x1")).add(tower(4, 3, 1, "inception/3x3"))
pool = Sequential().add(SpatialMaxPooling(3, 3, 1, 1, 1, 1, to_ceil=True))
concat.add(pool.add(SpatialConvolution(4, 2, 1, 1)).add(ReLU(True)))
model = Sequential().add(Reshape([1, 28, 28])).add(SpatialConvolution(1, 4, 5, 5, 4, 4, 2, 2))
model.add(ReLU(True)).add(SpatialCrossMapLRN(5, 0.0001, 0.75)).add(concat)
model.add(SpatialAveragePooling(7, 7, 1, 1)).add(View([8], num_input_dims=3))
model.add(Linear(8, 10)).add(LogSoftMax())
model.reset()
x, y = mnist.read_data_sets("here", "train")
train = sc.parallelize(x[:200]).zip(sc.parallelize(y[:200])).map(
    lambda pair: Sample.from_ndarray(pair[0] / 255.0, pair[1] + 1))
method = SGD(0.05, 0.0, 0.0001, 0.9, 0.0, False, Poly(0.5, 62000))
train_it = Optimizer(model=model, training_rdd=train, criterion=ClassNLLCriterion(),
                     optim_method=method, end_trigger=MaxEpoch(2), batch_size=50)
train_it.set_validation(50, train, SeveralIteration(2), [Top1Accuracy(), Top5Accuracy()])
kept = ValidationSummary("logs", "inception")
train_it.set_val_summary(kept)
train_it.set_checkpoint(EveryEpoch(), "kept")
model = train_it.optimize()
assert [int(row[0]) for row in kept.read_scalar("Top5Accuracy")] == [2, 4, 6, 8]
assert np.allclose(model.parameters()["inception/1x1"]["bias"], 0.1, atol=0.05)
result = model.test(train, 50, [Top1Accuracy()])[0]
assert str(result).startswith("Evaluated result: ") and result.total_num == 200
assert np.allclose(Model.load("kept/model").forward(x[:4] / 255.0),
                   model.evaluate().forward(x[:4] / 255.0), atol=1e-5)
""",
    "a tutorial's notebook": """
%matplotlib inline
import pandas
import datetime as dt
from bigdl.nn.layer import *
from bigdl.nn.criterion import *
from bigdl.optim.optimizer import *
from bigdl.util.common import *
from bigdl.dataset import mnist
import matplotlib.pyplot as plt, seaborn as sn
from sklearn.metrics import confusion_matrix
sc = SparkContext.getOrCreate(conf=create_spark_conf().setMaster("local[4]"))
init_engine()
images, labels = mnist.read_data_sets("here", "train")
images, labels = images[:200] / 255.0, labels[:200]
rdd = sc.parallelize(images).zip(sc.parallelize(labels)).map(
    lambda pair: Sample.from_ndarray(pair[0], pair[1] + 1))
model = Sequential().add(Reshape([28 * 28])).add(Linear(784, 10)).add(LogSoftMax())
optimizer = Optimizer(model=model, training_rdd=rdd, criterion=ClassNLLCriterion(),
                      optim_method=SGD(learningrate=0.2), end_trigger=MaxEpoch(8), batch_size=40)
summary = TrainSummary(log_dir='logs', app_name='softmax-' + dt.datetime.now().strftime("%Y"))
summary.set_summary_trigger("Parameters", SeveralIteration(50))
optimizer.set_train_summary(summary)
trained = optimizer.optimize()
predictions = trained.predict(rdd)
true = [int(s.label.to_ndarray()[0] - 1) for s in rdd.take(200)]
said = [int(np.array(one).argmax()) for one in predictions.collect()]
assert true == labels.tolist() and np.mean(np.array(true) == said) > 0.5
loss = np.array(summary.read_scalar("Loss"))
plt.plot(loss[:, 0], loss[:, 1]); plt.xlim(0, loss.shape[0] + 10)
sn.heatmap(confusion_matrix(true, said), annot=True, fmt='d')
assert loss[0, 0] == 1 and loss[-1, 1] < loss[0, 1]
""",
}
RENOM: dict[str, str] = {
    "a model of one's own, a report, the weights again": """
import numpy as np, renom as rm
from renom.optimizer import Adam
from renom.cuda.cuda import set_cuda_active
from renom.layers.activation.relu import Relu
from sklearn.datasets import fetch_openml
from sklearn.preprocessing import LabelBinarizer
from sklearn.metrics import classification_report
set_cuda_active(False)
X, y = fetch_openml('mnist_784', version=1, return_X_y=True, as_frame=False)
X = (X / 255.0).astype('float32').reshape(-1, 1, 28, 28)[:200]
t = LabelBinarizer().fit_transform(y)[:200]
class Net(rm.Model):
    def __init__(self):
        super(Net, self).__init__()
        self.conv = rm.Conv2d(channel=4, filter=5, stride=2)
        self.bn = rm.BatchNormalize(mode='feature')
        self.pool, self.act = rm.MaxPool2d(filter=2, stride=2), Relu()
        self.fc = rm.Dense(10)
    def forward(self, x):
        h = self.pool(self.act(self.bn(self.conv(x))))
        return self.fc(rm.reshape(h, (len(h), -1)))
net, optimizer, losses, epoch = Net(), Adam(lr=0.01), [], 0
while epoch < 5:
    for i in range(0, 200, 50):
        with net.train():
            loss = rm.softmax_cross_entropy(net(X[i:i + 50]), t[i:i + 50])
        loss.grad(weight_decay=1e-4).update(optimizer)
        losses.append(float(loss.as_ndarray()))
    epoch += 1
assert epoch == 1 and losses[-1] < losses[0]
net.set_models(inference=True)
out = net(X[:60])
assert 'macro avg' in classification_report(y[:60].astype(int), np.argmax(out, axis=1),
                                            zero_division=0)
net.save('net.h5')
other = Net(); other.load('net.h5'); other.set_models(inference=True)
assert np.allclose(other(X[:5]), net(X[:5]), atol=1e-5)
""",
    "residual blocks in a list, a trainer and its events": """
import numpy as np, renom as rm
from renom.utility.trainer import Trainer
from renom.utility.distributor import NdarrayDistributor
from renom.utility.initializer import HeNormal
np.random.seed(0)
x = np.random.rand(120, 1, 8, 8); y = (x.mean((1, 2, 3)) > 0.5).astype(int)
x += 3 * y[:, None, None, None]
class Block(rm.Model):
    def __init__(self, channels, stride=1):
        super(Block, self).__init__()
        self.c = rm.Conv2d(channels, 3, padding=1, stride=stride, initializer=HeNormal())
        self.short = rm.Conv2d(channels, 1, stride=stride) if stride > 1 else None
    def forward(self, x):
        return rm.relu(self.c(x) + (self.short(x) if self.short is not None else x))
net = rm.Sequential([rm.Conv2d(4, 3, padding=1), Block(4), Block(8, 2), rm.Flatten(), rm.Dense(2)])
train, test = NdarrayDistributor(x, np.eye(2)[y]).split(0.75)
trainer = Trainer(net, num_epoch=4, loss_func=rm.softmax_cross_entropy, batch_size=10,
                  optimizer=rm.Adam(lr=0.005), num_gpu=1)
seen = []
@trainer.events.end_epoch
def told(t):
    seen.append((t.epoch, t.avg_train_loss, t.test_loss_list[-1]))
trainer.train(train, test)
assert [one[0] for one in seen] == [0, 1, 2, 3] and len(trainer.train_loss_list) == 4
assert np.mean(trainer.test(test).argmax(1) == test.y.argmax(1)) > 0.7
""",
    "a variational autoencoder and what it reads": """
import numpy as np, renom as rm
from sklearn.datasets import fetch_mldata
X = (fetch_mldata('MNIST original', data_home='.').data[:150].astype('float32') / 255)
np.random.seed(0)
class VAE(rm.Model):
    def __init__(self, latent):
        super(VAE, self).__init__()
        self.latent = latent
        self.enc = rm.Sequential([rm.Dense(32), rm.BatchNormalize(), rm.Relu()])
        self.mean, self.log = rm.Dense(latent), rm.Dense(latent)
        self.dec = rm.Sequential([rm.Dense(32), rm.Relu(), rm.Dense(784), rm.Sigmoid()])
    def forward(self, x):
        h = self.enc(x)
        mean, log = self.mean(h), self.log(h)
        z = mean + rm.exp(log / 2) * np.random.randn(len(x), self.latent)
        self.out = self.dec(z)
        kl = -0.5 * rm.sum(1 + log - mean ** 2 - rm.exp(log)) / len(x)
        rest = -rm.sum(x * rm.log(self.out + 1e-8) + (1 - x) * rm.log(1 - self.out + 1e-8))
        return kl + rest / len(x)
net, optimizer, losses = VAE(2), rm.Adam(lr=0.01), []
for step in range(20):
    with net.train():
        loss = net(X)
    loss.grad().update(optimizer)
    losses.append(loss.as_ndarray())
assert losses[-1] < 0.7 * losses[0]
pixel = rm.Variable(X[:2])
with net.train():
    cost = net(pixel)
assert cost.grad(detach_graph=False).get(pixel).shape == (2, 784)
""",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what old programs use
@pytest.mark.parametrize("name", [*PYTORCH, *BIGDL, *RENOM])
def test_a_program_runs_and_means_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for part, kind in ((part, kind) for part in ("train", "val") for kind in ("ants", "bees")):
        folder = tmp_path / "photos" / part / kind
        folder.mkdir(parents=True)
        for number in range(4):
            pixels = rng.integers(0, 200, (40, 50, 3)) + (50 if kind == "bees" else 0)
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")
    script = tmp_path / "script.py"
    script.write_text({**PYTORCH, **BIGDL, **RENOM}[name])
    assert "\nassert " in script.read_text()  # it is the program that compares
    run_script(script, max_epochs=None if name in LONG else 1,
               limit_samples=200, seed=0, root=tmp_path / "runs")  # fmt: skip


LONG = ("a tutorial's notebook", "inception with names, drawn again",
        "distillation, mixed labels and a report",
        "residual blocks in a list, a trainer and its events")  # fmt: skip
