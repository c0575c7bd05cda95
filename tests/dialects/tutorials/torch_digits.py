"""Two convolutions of 5 x 5 in PyTorch, a wide dense layer, dropout between; tested at the end."""

import torch
import torchvision
import torchvision.transforms as transforms
from torch import nn
from torch.utils.data import DataLoader

EPOCHS, BATCH = 5, 100

normal = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
train = torchvision.datasets.MNIST(root="digits", train=True, transform=normal, download=True)
test = torchvision.datasets.MNIST(root="digits", train=False, transform=normal)
loaders = DataLoader(train, BATCH, shuffle=True), DataLoader(test, BATCH, shuffle=False)


def stage(channels, filters):
    return nn.Sequential(
        nn.Conv2d(channels, filters, kernel_size=5, stride=1, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2, stride=2),
    )


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = stage(1, 32), stage(32, 64)
        self.drop = nn.Dropout()
        self.wide, self.last = nn.Linear(7 * 7 * 64, 1000), nn.Linear(1000, 10)

    def forward(self, x):
        x = self.second(self.first(x))
        x = x.reshape(x.size(0), -1)
        return self.last(self.wide(self.drop(x)))


network = Network()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
for epoch in range(EPOCHS):
    for step, (x, t) in enumerate(loaders[0]):
        scores = network(x)
        loss = criterion(scores, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            right = (torch.max(scores.data, 1)[1] == t).sum().item()
            print(f"epoch {epoch} step {step} loss {loss.item():.4f} right {right}")

network.eval()
with torch.no_grad():
    right = sum((network(x).argmax(1) == t).sum().item() for x, t in loaders[1])
accuracy = right / len(test)
print(f"test accuracy {accuracy:.4f}")
torch.save(network.state_dict(), "network.ckpt")
if len(train) == 60000:
    assert accuracy >= 0.988, accuracy
print("weights", sum(weight.numel() for weight in network.parameters()))
