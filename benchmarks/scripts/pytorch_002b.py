"""Tutorial 002's network in PyTorch, with its loop over torchvision's MNIST."""

from torch import nn, optim
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from benchmarks.protocol import turns

COUNT, BATCH = 6000, 100

scaled = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
digits = Subset(datasets.MNIST("data", train=True, download=True, transform=scaled), range(COUNT))
loader = DataLoader(digits, batch_size=BATCH, shuffle=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        self.layer2 = nn.Sequential(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
        self.drop = nn.Dropout()
        self.fc1 = nn.Linear(7 * 7 * 64, 1000)
        self.fc2 = nn.Linear(1000, 10)

    def forward(self, x):
        out = self.layer2(self.layer1(x))
        out = self.drop(out.reshape(out.size(0), -1))
        return self.fc2(self.fc1(out))


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.Adam(net.parameters(), lr=0.001)


def epoch():
    for images, labels in loader:
        outputs = net(images)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


turns(epoch, COUNT)
