"""A loop of PyTorch over one batch, with the network that the first argument names."""

import sys

import torch
import torch.nn.functional as F
from torch import nn, optim

from benchmarks.protocol import turns

BATCH, STEPS = 64, 20
torch.manual_seed(0)
digits = torch.rand(BATCH, 1, 28, 28)
pictures = torch.rand(BATCH, 3, 32, 32)
labels = torch.randint(0, 10, (BATCH,))


def convolved(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride, norm):
        super().__init__()
        self.conv1, self.norm1 = convolved(inputs, outputs, stride), norm(outputs)
        self.conv2, self.norm2 = convolved(outputs, outputs), norm(outputs)
        self.short = nn.Identity()
        if stride > 1:
            short = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.short = nn.Sequential(short, norm(outputs))

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.short(x))


def residual(norm):
    parts = [Residual(16, 16, 1, norm), Residual(16, 32, 2, norm), Residual(32, 64, 2, norm)]
    end = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(convolved(3, 16), norm(16), nn.ReLU(), *parts, *end)


class Twice(nn.Sequential):
    def __init__(self, inputs, outputs):
        parts = []
        for width in (inputs, outputs):
            parts += [convolved(width, outputs), nn.BatchNorm2d(outputs), nn.ReLU()]
        super().__init__(*parts)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.bottom = Twice(3, 16), Twice(16, 32), Twice(32, 64)
        self.up2, self.join2 = nn.ConvTranspose2d(64, 32, 2, 2), Twice(64, 32)
        self.up1, self.join1 = nn.ConvTranspose2d(32, 16, 2, 2), Twice(32, 16)
        self.last = nn.Conv2d(16, 10, 1)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        out = self.bottom(F.max_pool2d(second, 2))
        out = self.join2(torch.cat([self.up2(out), second], 1))
        out = self.join1(torch.cat([self.up1(out), first], 1))
        return self.last(out).mean((2, 3))


def lenet(activation):
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), activation(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), activation(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 10),
    )  # fmt: skip


def classified(net, x):
    optimizer = optim.Adam(net.parameters())

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def adversarial():
    maker = nn.Sequential(
        nn.Linear(64, 6272), nn.ReLU(), nn.Unflatten(1, (128, 7, 7)),
        nn.Upsample(scale_factor=2), convolved(128, 64), nn.BatchNorm2d(64), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(64, 1, 3, padding=1), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1),
        nn.BatchNorm2d(64), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(3136, 1),
    )  # fmt: skip
    makes, judges = (optim.Adam(net.parameters(), 2e-4, betas=(0.5, 0.999))
                     for net in (maker, judge))  # fmt: skip
    loss, true, false = nn.BCEWithLogitsLoss(), torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def step():
        fake = maker(torch.randn(BATCH, 64))
        judges.zero_grad()
        (loss(judge(digits), true) + loss(judge(fake.detach()), false)).backward()
        judges.step()
        makes.zero_grad()
        loss(judge(fake), true).backward()
        makes.step()

    return step


steps = {
    "LeNet": lambda: classified(lenet(nn.ReLU), digits),
    "LeNet, PReLU": lambda: classified(lenet(nn.PReLU), digits),
    "ResNet, BatchNorm": lambda: classified(residual(nn.BatchNorm2d), pictures),
    "ResNet, GroupNorm": lambda: classified(residual(lambda c: nn.GroupNorm(4, c)), pictures),
    "U-Net": lambda: classified(UNet(), pictures),
    "GAN": adversarial,
}
step = steps[sys.argv[1]]()
turns(lambda: [step() for _ in range(STEPS)], STEPS * BATCH)
