"""What scripts of the time found around them: removed names, absent packages, Python 2."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from striate.dialects import surroundings_fetched
from striate.dialects.bigdl.real_spark import rdd_like
from striate.dialects.bigdl.spark import RDD
from striate.dialects.importer import Aliases, installed, served
from striate.dialects.program import run_script
from striate.dialects.session import Script
from striate.dialects.surroundings import surrounded
from striate.dialects.surroundings_sklearn import digits
from striate.dialects.table import DialectError
from striate.errors import StriateError

PROGRAMS = {
    "names that NumPy and Python have removed": ("""
import time, collections, numpy as np
print(np.zeros(1, np.float).dtype, np.product([2, 3]), np.Inf, time.clock() >= 0,
      np.int is int, isinstance([], collections.Sequence), np.asscalar(np.array([5])))
""", "float64 6 inf True True True 5"),
    "mldata's digits are sorted by class in each part": ("""
from sklearn.datasets import fetch_mldata
mnist = fetch_mldata('MNIST original', data_home='./')
X, y = mnist['data'], mnist.target
print(X.shape, X.dtype, y.dtype, y[0], y[-1], sum(y[:120] == 0) > 5,
      list(y[:120]) == sorted(y[:120]))
""", "(140, 784) uint8 float64 0.0 9.0 True True"),
    "openml's digits are texts": ("""
from sklearn.datasets import fetch_openml
X, y = fetch_openml('mnist_784', version=1, return_X_y=True, as_frame=False)
print(X.shape, X.dtype, y[:1], X.max())
""", "(140, 784) float64 ['5'] 255.0"),
    "names that SciPy has moved": ("""
import numpy as np
from scipy.misc import logsumexp, comb
from scipy.optimize.optimize import _status_message
from scipy.integrate import trapz
from scipy import signal
print(logsumexp(np.log([1.0, 3.0])).round(4), comb(4, 2), 'maxiter' in _status_message,
      trapz([1, 1, 1]), signal.gaussian(3, 1.0).round(2).tolist())
""", "1.3863 6.0 True 2.0 [0.61, 1.0, 0.61]"),
    "preparing": ("""
import numpy as np
from sklearn.preprocessing import LabelBinarizer, OneHotEncoder, MinMaxScaler, StandardScaler
from sklearn.preprocessing import label_binarize
b = LabelBinarizer()
print(b.fit_transform([3, 1, 3, 7]).tolist(), b.inverse_transform(np.eye(3)).tolist(),
      LabelBinarizer().fit_transform(['a', 'b', 'a']).ravel().tolist(),
      OneHotEncoder().fit_transform([[1], [0]]).toarray().tolist(),
      MinMaxScaler((0, 255)).fit_transform([[0.0], [2.0], [4.0]]).ravel().tolist(),
      StandardScaler().fit_transform([[1.0], [3.0]]).ravel().tolist(),
      label_binarize([2, 0], classes=[0, 1, 2]).tolist())
""", "[[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]] [1, 3, 7] [0, 1, 0] [[0.0, 1.0], [1.0, 0.0]]"
     " [0.0, 127.5, 255.0] [-1.0, 1.0] [[0, 0, 1], [1, 0, 0]]"),
    "division and measures": ("""
import numpy as np
from sklearn.cross_validation import train_test_split
from sklearn.metrics import accuracy_score, confusion_matrix, classification_report, f1_score
a, b, c, d = train_test_split(np.arange(10), list(range(10)), test_size=0.3, random_state=1)
print(len(a), len(b), d == b.tolist(), sorted([*a, *b]) == list(range(10)))
print(accuracy_score([1, 0, 1], [1, 1, 1]), confusion_matrix([1, 0, 1], [1, 1, 1]).tolist())
print(classification_report([1, 0, 1], [1, 1, 1], zero_division=0).splitlines()[3].split(),
      round(f1_score([1, 0, 1], [1, 1, 1]), 2))
""", "['1', '0.67', '1.00', '0.80', '2'] 0.8"),
    "images of scipy.misc": ("""
import numpy as np
from scipy.misc import imread, imsave, imresize, toimage
imsave('picture.png', np.arange(16.0).reshape(4, 4))
back = imread('picture.png')
print(back.dtype, back.min(), back.max(), imresize(back, (8, 2)).shape, imresize(back, 0.5).shape,
      toimage(np.zeros((3, 5, 7))).size)
""", "uint8 0 255 (8, 2) (2, 2) (7, 5)"),
    "Python 2": ("""
import cPickle
from StringIO import StringIO
try:
    raise ValueError, "bad"
except ValueError, e:
    print "caught", e
for i in xrange(2):
    print i,
print
print >>StringIO(), "nowhere"
print "%d samples" % (3), cPickle.loads(cPickle.dumps(4))
""", "3 samples 4"),
    "notebooks, trackers and drawing": ("""
import missinglink, pydot
from IPython.display import clear_output, display
from google.colab import drive
drive.mount('/content/drive'); clear_output(); display(1)
project = missinglink.KerasProject(owner_id='x')
project.set_properties(name='y').z()
print(pydot.Dot is not None)
""", "True"),
    "measures of scores": ("""
import numpy as np
from sklearn.metrics import log_loss, cohen_kappa_score, roc_curve, auc, r2_score
from sklearn.metrics import precision_recall_fscore_support, average_precision_score
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
y, s = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
fpr, tpr, cuts = roc_curve(y, s)
ConfusionMatrixDisplay(confusion_matrix(y, s > 0.3), display_labels=['a', 'b']).plot(cmap='Blues')
print(fpr.tolist(), auc(fpr, tpr), round(average_precision_score(y, s), 4),
      round(log_loss(['s', 'h', 'h', 's'], [[.1, .9], [.9, .1], [.8, .2], [.35, .65]]), 5),
      round(cohen_kappa_score([2, 0, 2, 2, 0, 1], [0, 0, 2, 2, 0, 2]), 4),
      r2_score([3, -0.5, 2, 7], [2.5, 0.0, 2, 8]) > 0.948,
      precision_recall_fscore_support([0, 1], [0, 1], average='macro')[:3])
""", "[0.0, 0.0, 0.5, 0.5, 1.0] 0.75 0.8333 0.21616 0.4286 True (1.0, 1.0, 1.0)"),
    "folds, weights of classes, searches": ("""
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold, GridSearchCV, cross_val_score
from sklearn.utils.class_weight import compute_class_weight
from sklearn.decomposition import PCA
class Constant(ClassifierMixin, BaseEstimator):
    def __init__(self, answer=0): self.answer = answer
    def fit(self, x, y): return self
    def score(self, x, y): return np.mean(y == self.answer)
y = np.array([0, 0, 0, 0, 1, 1])
x = np.arange(12.0).reshape(6, 2)
search = GridSearchCV(Constant(), {'answer': [1, 0]}, cv=2).fit(x, y)
pca = PCA(2).fit(x)
print([test.tolist() for _, test in StratifiedKFold(2).split(x, y)], search.best_params_,
      compute_class_weight('balanced', classes=[0, 1], y=y).tolist(),
      np.round(pca.explained_variance_ratio_, 6).tolist(),
      np.allclose(pca.inverse_transform(pca.transform(x)), x))
""", "[[0, 1, 4], [2, 3, 5]] {'answer': 0} [0.75, 1.5] [1.0, 0.0] True"),
    "scikit-learn's names and words of 2016": ("""
import numpy as np
from sklearn.cross_validation import KFold, StratifiedKFold, cross_val_score
from sklearn.grid_search import GridSearchCV
from sklearn.externals import joblib
from sklearn.datasets.base import Bunch
from sklearn.preprocessing import Imputer, OneHotEncoder
from sklearn.linear_model import LogisticRegression
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils import class_weight
from sklearn.utils.linear_assignment_ import linear_assignment
from sklearn.metrics import mean_squared_error, plot_confusion_matrix, classification_report
y = np.array([0, 1] * 6); x = np.c_[y, np.arange(12) % 3].astype(float)
folds = KFold(12, n_folds=4, shuffle=True, random_state=1)
print(len(folds), [len(test) for train, test in folds],
      [y[test].sum() for train, test in StratifiedKFold(y, n_folds=3)])
hot = OneHotEncoder(sparse=False).fit_transform(x[:, 1:])
some = OneHotEncoder(categorical_features=[1], sparse=False).fit_transform(x)
assert hot.shape == (12, 3) and np.array_equal(some, np.c_[hot, x[:, :1]])
assert Imputer(missing_values='NaN', axis=0).fit_transform([[1.], [np.nan], [3.]])[1] == 2
joblib.dump(hot, 'hot.pkl'); assert np.array_equal(joblib.load('hot.pkl'), hot)
model = GridSearchCV(LogisticRegression(), {'C': [1.0, 10.0]}, cv=2, iid=False).fit(x, y)
forest = RandomForestClassifier(5, max_features='auto', random_state=0).fit(x, y)
print(cross_val_score(model.best_estimator_, x, y, cv=folds).mean(), forest.score(x, y),
      class_weight.compute_class_weight('balanced', np.unique(y), y).tolist(),
      linear_assignment(np.array([[2, 1], [1, 5]])).tolist(),
      mean_squared_error([0, 0], [3, 3], squared=False))
plot_confusion_matrix(model, x, y)
print(classification_report(y, y, [0, 1], ['a', 'b']).split()[4], Bunch(a=1).a)
""", "a 1"),
    "pandas as it was": ("""
import numpy as np, pandas as pd
from pandas.tools.plotting import scatter_matrix
t = pd.DataFrame({'a': [1.0, np.nan, 3.0], 'b': ['x', 'y', 'x']}, index=['p', 'q', 'r'])
assert t.dtypes['b'] == object and t.as_matrix().shape == (3, 2) and t.get_value('p', 'a') == 1
assert t.ix[0, 'a'] == t.ix['p', 0] == t.ix['p', 'a'] == 1 and len(t.ix[:2]) == 2
assert list(t.ix[t.b == 'x', 'a']) == [1, 3] and list(t.ix[['p'], ['b']].columns) == ['b']
t['a'].fillna(0, inplace=True)
t['a'][2] = 7.0
t.b[t.b == 'x'] = 'z'
t.a.loc[t.b == 'y'] = 5.0
assert t.a.tolist() == [1, 5, 7] and t.b.tolist() == ['z', 'y', 'z']
copied = t['a'].copy(); copied[0] = 100; assert t.loc['p'][0] == t.dtypes.index.size - 1
t = t.append({'a': 9.0, 'b': 'w'}, ignore_index=True).append(t[:1])
t.ix[0, 'a'] = 2.0
t = t.fillna(method='ffill').sort('a', ascending=False)
assert list(t.drop('b', 1).columns) == ['a'] and list(pd.concat([t, t], 1).shape) == [5, 4]
from StringIO import StringIO
other = pd.read_csv(StringIO('1 2\\n3 4\\n'),
                    delim_whitespace=True, header=None, error_bad_lines=False)
print(t.a.tolist(), [key for key, _ in t.iteritems()], other.values.tolist(),
      pd.Series([2, 1]).order().tolist(), pd.rolling_mean(t.a, 2).iloc[1], pd.np is np)
""", "[9.0, 7.0, 5.0, 2.0, 1.0] ['a', 'b'] [[1, 2], [3, 4]] [1, 2] 8.0 True"),
    "seaborn as it was": ("""
import numpy as np, pandas as pd, seaborn as sns, matplotlib.pyplot as plt
y = pd.Series([0, 1, 1, 2, 2, 2], name='label')
bars = [int(bar.get_height()) for bar in sns.countplot(y).patches]
plt.figure(); array = [int(bar.get_height()) for bar in sns.countplot(y.values).patches]
plt.figure(); pairs = sns.barplot(np.array(['a', 'b']), np.array([3.0, 5.0]))
plt.figure(); plt.plot([1, 2], axes=plt.gca())
plt.figure(); spread = sns.distplot(np.arange(20.0), bins=4, kde=False)
t = pd.DataFrame({'kind': ['u', 'v'] * 3, 'size': range(6)})
grid = sns.factorplot('kind', 'size', data=t, kind='bar', size=3)
sns.pairplot(t, size=1); sns.FacetGrid(t, col='kind', size=2).map(plt.hist, 'size')
print(bars, array, [int(bar.get_height()) for bar in pairs.patches], len(spread.patches),
      grid.fig.get_figheight())
""", "[1, 2, 3] [1, 2, 3] [3, 5] 4 3.0"),
    "a notebook that is saved as a program": ("""
%matplotlib inline
!pip install pandas
%%time
import cv2, requests, seaborn as sns, wandb, numpy as np, matplotlib.pyplot as plt
from skimage.transform import resize
try:
    import albumentations
except ImportError:
    print('left to the script')
get_ipython().run_line_magic('matplotlib', 'inline')
plt.style.use('seaborn-whitegrid'); sns.set(style='darkgrid'); plt.figure(); wandb.init(project='x')
axes = sns.heatmap(np.eye(2, dtype=int), annot=True, fmt='d', xticklabels=['a', 'b'])
print([text.get_text() for text in axes.texts])
""", "['1', '0', '0', '1']"),
    "files that are fetched and are here": ("""
import gzip, pickle, requests, urllib.request, wget, numpy as np
from six.moves.urllib.request import urlretrieve
with open('a.gz', 'wb') as file:
    file.write(requests.get('https://x.invalid/raw/main/mnist.pkl.gz').content)
with gzip.open('a.gz') as file: (x, y), (u, v), _ = pickle.load(file, encoding='latin-1')
urlretrieve('https://x.invalid/mnist.npz', 'b.npz')
with np.load('b.npz') as b: b = b['x_train']
labels = wget.download('https://x.invalid/t10k-labels-idx1-ubyte.gz')
try: requests.get('http://127.0.0.1:9/other.zip')
except requests.exceptions.RequestException as error: why = 'cannot be reached' in str(error)
print(x.shape, x.dtype, y[0], len(v), b.shape, (b[0].ravel() / 256 == x[0]).all(), labels, why)
""", "(120, 784) float32 5 120 (120, 28, 28) True t10k-labels-idx1-ubyte.gz True"),
    "axes by their names": ("""
import numpy as np, torch
from einops import EinopsError, einsum, rearrange, reduce, repeat
from einops.layers.torch import Rearrange, Reduce
x = torch.arange(96.).view(2, 3, 4, 4)
cut = rearrange(x, 'b c (h p1) (w p2) -> b (h w) (p1 p2 c)', p1=2, p2=2)
assert cut[1, 1].tolist() == x[1, :, :2, 2:].permute(1, 2, 0).flatten().tolist()
assert torch.equal(Rearrange('b (h w) (p q c) -> b c (h p) (w q)', h=2, p=2, q=2)(cut), x)
assert torch.equal(reduce(x, 'b c (h 2) (w 2) -> b c h w', 'max'), torch.max_pool2d(x, 2))
assert torch.allclose(Reduce('b ... -> b', 'mean')(x), x.flatten(1).mean(1))
y = x[0, 0]
assert torch.equal(repeat(y, 'h w -> n h (w t)', n=2, t=3)[1], y.repeat_interleave(3, 1))
assert torch.equal(rearrange(list(x), 'b c h w -> c (b h w)'), x.transpose(0, 1).flatten(1))
assert torch.equal(einsum(x, x, 'b c one two, b c two k -> b one k'), (x @ x).sum(1))
assert rearrange(np.ones((2, 3)), 'a b -> b a 1').shape == (3, 2, 1)
try: rearrange(x, 'b c h w -> b (c h)')
except EinopsError as error: print('only on the left' in str(error))
""", "True"),
    "animations of imageio": ("""
import imageio, numpy as np
frames = [np.full((4, 5, 3), 60 * at, np.uint8) for at in range(3)]
imageio.mimsave('a.gif', frames, duration=0.2)
with imageio.get_writer('b.mp4', mode='I', fps=10) as writer:
    for one in frames: writer.append_data(one)
imageio.imwrite('c.png', np.eye(3))
from PIL import Image
with Image.open('a.gif') as a, Image.open('b.gif') as b: kept = a.info['duration'], b.n_frames
print(len(imageio.mimread('a.gif')), *kept, imageio.v2.imread('c.png').tolist())
""", "3 200 3 [[255, 0, 0], [0, 255, 0], [0, 0, 255]]"),
    "a table of a file": ("""
import pandas as pd, numpy as np
with open('train.csv', 'w') as file:
    file.write('label,p0,p1\\n' + ''.join(f'{i % 3},{i},{255 - i}\\n' for i in range(30)))
train = pd.read_csv('train.csv')
Y, X = train['label'], train.drop(labels=['label'], axis=1)
assert train.shape == (30, 3) and not X.isnull().any().any() and len(Y.unique()) == 3
assert Y.value_counts()[0] == 10 and (train[train.label == 2].p0 % 3 == 2).all()
assert (X / 255.0).values.reshape(-1, 2, 1).max() == 1.0
from sklearn.model_selection import train_test_split
a, b, c, d = train_test_split(X, Y, test_size=0.2, random_state=1)
assert a.shape == (24, 2) and list(a.index) == list(c.index) and len(d) == 6
history = pd.DataFrame({'loss': [1.0, 0.5], 'acc': [0.25, 0.375]})
history.plot(figsize=(4, 3), grid=True)
history['sum'] = history['loss'] + history.acc
history.to_csv('history.csv', index=False)
back = pd.read_csv('history.csv')
assert back.iloc[1]['sum'] == 0.875 and back.loc[0, 'acc'] == 0.25
mixed = pd.DataFrame({'n': [0.5, 1.5], 'k': ['a', 'b']})
assert pd.get_dummies(mixed).values.dtype == np.float64 and pd.get_dummies(Y).values.max() == 1
assert back.describe().loc['mean', 'loss'] == 0.75 and pd.get_dummies(Y).values.sum() == 30
both = pd.concat([pd.Series([1, 2], name='ImageId'), pd.Series([7, 8], name='Label')], axis=1)
print(repr(history.head(1)).split(), both.values.tolist())
""", "['loss', 'acc', 'sum', '0', '1.0', '0.25', '1.25'] [[1, 7], [2, 8]]"),
    "NumPy 1's copy": ("""
import numpy as np
import torch
same = np.arange(3)
assert np.array(same, copy=False) is same
print(np.array(torch.ones(2), dtype='int32', copy=False))
""", "[1 1]"),
    "processes": ("""
import torch.multiprocessing as mp

def work(shared, at):
    shared[at] = at + 1

if __name__ == '__main__':
    mp.set_start_method('spawn', force=True)
    import torch
    shared = torch.zeros(2).share_memory_()
    several = [mp.Process(target=work, args=(shared, at)) for at in range(2)]
    for one in several:
        one.start()
    for one in several:
        one.join()
    print(shared.tolist())
""", "[1.0, 2.0]"),
    "spawned processes": ("""
import torch
import torch.multiprocessing as mp

class Doubled:
    def __call__(self, rank, shared):
        shared[rank] = 2 * rank

if __name__ == '__main__':
    shared = torch.ones(3).share_memory_()
    mp.spawn(Doubled(), args=(shared,), nprocs=3, join=True)
    print(shared.tolist(), mp.get_context('spawn').get_start_method())
""", "[0.0, 2.0, 4.0] fork"),
    "Pillow before 10": ("""
from PIL import Image, ImageDraw, ImageFont
picture = Image.new('L', (8, 4)).resize((4, 2), Image.ANTIALIAS)
drawn = ImageDraw.Draw(picture)
wide, high = drawn.textsize('two\\nlines')
font = ImageFont.load_default().getsize('a')
print(picture.size, wide > 0, high > drawn.textsize('one')[1], len(font))
""", "(4, 2) True True 2"),
    "iteritems": ("""
from __future__ import print_function
print(sorted({'a': 1}.iteritems()), sum({'a': 1}.itervalues()))
""", "[('a', 1)] 1"),
    "matplotlib.cm": ("""
import matplotlib.cm as cm
print(cm.get_cmap('jet')(range(4))[:, :3].shape)
""", "(4, 3)"),
    "words of savefig": ("""
import os, matplotlib.pyplot as plt
plt.plot([1, 2])
plt.savefig('a.png', fontsize=14, dpi=50)
print(os.path.exists('a.png'))
""", "True"),
    "pyplot.hold": ("""
import matplotlib.pyplot as plt
plt.hold(True)
print('held')
""", "held"),
    "bars as wide as a terminal": ("""
import os
_, term_width = os.popen('stty size', 'r').read().split()
with os.popen('echo said') as other:
    print(int(term_width) > 0, other.read().strip())
""", "True said"),
    "places of pictures": ("""
import matplotlib.pyplot as plt
first, third = plt.subplot("131"), plt.gcf().add_subplot('133')
print(first.get_subplotspec().colspan.start, third.get_subplotspec().colspan.start)
""", "0 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_finds_what_it_had(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text, last = PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.py").write_text(textwrap.dedent(text))
    run_script("script.py", limit_samples=120, root="runs")
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == last
    assert ("note: 7 lines read as Python 3" in captured.err) == (name == "Python 2")
    assert ("b.mp4 is written as b.gif" in captured.err) == (name == "animations of imageio")


@pytest.mark.parametrize(
    ("address", "given"),
    [
        ("http://yann.lecun.com/exdb/mnist/train-labels-idx1-ubyte.gz", True),
        ("https://storage.googleapis.com/img-datasets/mnist.npz", True),
        ("http://fashion-mnist.s3-website.amazonaws.com/train-labels-idx1-ubyte.gz", False),
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/train-labels-idx1-ubyte.gz", False),
        ("https://github.com/zalandoresearch/x/train-labels-idx1-ubyte.gz", False),
    ],
)
def test_files_of_others_with_the_names_of_mnists_are_asked_for(
    address: str, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import urllib.request

    asked: list[str] = []
    monkeypatch.setattr(surroundings_fetched, "_urlopen", asked.append)
    script = Script()
    with surrounded(script):
        urllib.request.urlopen(address)
    assert asked == ([] if given else [address])
    assert any(address in note for note in script.said) is given


def test_all_is_taken_back_afterwards() -> None:
    import time

    with surrounded(Script()):
        assert float is float  # type: ignore[attr-defined]
    assert not hasattr(np, "float") and not hasattr(time, "clock")


def test_packages_are_taken_back_afterwards() -> None:
    import pandas
    import sklearn
    from sklearn.preprocessing import OneHotEncoder

    before = dict(vars(pandas.DataFrame))
    with surrounded(Script()):
        import sklearn.cross_validation  # type: ignore[import-not-found]

        assert hasattr(pandas.DataFrame, "append") and hasattr(pandas, "Panel")
        OneHotEncoder(sparse=False)
    assert vars(pandas.DataFrame) == before and not hasattr(pandas, "Panel")
    assert not hasattr(sklearn, "cross_validation")
    with pytest.raises(ImportError):
        import sklearn.cross_validation
    with pytest.raises(TypeError):
        OneHotEncoder(sparse=False)


def test_packages_are_loaded_by_scripts_alone() -> None:
    program = (
        "import sys, striate, striate.keras\n"
        "from striate.dialects.surroundings import surrounded\n"
        "from striate.dialects.session import Script\n"
        "with surrounded(Script()): pass\n"
        "print([name for name in ('pandas', 'sklearn', 'scipy', 'seaborn') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert said == b"[]\n"


@pytest.mark.parametrize(
    ("words", "asked", "kind"),
    [("", "", "ndarray"), ("X.iloc[0]", "", "DataFrame"), ("", ", as_frame=True", "DataFrame"),
     ("X.values", ", as_frame=False", "ndarray")],
)  # fmt: skip
def test_openml_gives_what_the_script_goes_on_with(
    words: str, asked: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"from sklearn.datasets import fetch_openml\nmnist = fetch_openml('mnist_784'{asked})\n"
        f"X, y = mnist['data'], mnist.target\nif 0: {words or 'pass'}\n"
        "print(type(X).__name__, X.shape, y[0], mnist.frame is None)"
    )
    run_script(script, limit_samples=120, root=tmp_path / "runs")
    captured = capsys.readouterr()
    assert captured.out == f"{kind} (140, 784) 5 {kind == 'ndarray'}\n"
    assert ("note: fetch_openml gives" in captured.err) == (not asked)


def test_all_digits_are_there_without_a_limit() -> None:
    x, y = digits(Script(), by_class=True)
    assert x.shape == (70000, 784)
    edges = np.flatnonzero(np.diff(y.astype(int)))
    assert len(edges) == 19 and edges[9] == 59999
    assert sum(y[56000:60000] == 9) == 4000  # the validation set of a split at eight tenths


def test_a_script_works_where_its_files_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project/data").mkdir(parents=True)
    (tmp_path / "project/data/words.txt").write_text("beside")
    script = tmp_path / "project/script.py"
    script.write_text(
        "from pathlib import Path\n"
        "print(Path('data/words.txt').read_text())\nopen('out.txt', 'w').close()\n"
    )
    monkeypatch.chdir(tmp_path)
    run = run_script(script, root="runs")
    captured = capsys.readouterr()
    assert captured.out == "beside\n"
    assert f"note: works in {script.parent.resolve()}, where its files are\n" in captured.err
    assert run == tmp_path / "runs/script" and (tmp_path / "project/out.txt").is_file()
    assert json.loads((run / "config.json").read_text())["script"] == "script.py"
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "project/out.txt").unlink()
    script.write_text("open('out.txt', 'w').close()\n")
    monkeypatch.chdir(other)
    run_script(script, root="runs")
    assert (other / "out.txt").is_file()  # without such files: where it was called


MESSAGES = {
    "another data set": (
        "from sklearn.datasets import fetch_mldata\nfetch_mldata('iris')", """\
sklearn.datasets.fetch_mldata: mldata.org is closed, and of its data sets only the digits are here
  got   'iris'
  need  "MNIST original"
  fix   fetch_openml, where openml.org has the data set
  at    script.py:2"""),
    "what pandas has given up": ("import pandas as pd\npd.Panel([[[1]]])", """\
pandas.Panel: pandas has given it up, and nothing takes its place
  fix   xarray.DataArray, or a NumPy array of three axes
  at    script.py:2"""),
    "what seaborn has given up": ("import seaborn as sns\nsns.tsplot([1, 2])", """\
seaborn.tsplot: seaborn has given it up
  fix   seaborn.lineplot(data=..., x=..., y=...)
  at    script.py:2"""),
    "a package that is used and absent": (
        "import numpy, bs4.dammit\nfrom timm import create_model as make\n"
        "assert not isinstance(3, make)\nbs4.dammit.UnicodeDammit('x')", """\
bs4: is not installed, and the script uses it
  got   bs4.dammit.UnicodeDammit
  fix   pip install beautifulsoup4
  at    script.py:4"""),
    "a part of a package that is stood in for": (
        "import cv2\nfrom skimage.filters import sobel\nfrom skimage import measure, io\n"
        "assert callable(io.imread) and measure.label is not None\nsobel([[1]])", """\
skimage: is not installed, and the script uses it
  got   skimage.filters.sobel
  fix   pip install scikit-image
  at    script.py:5"""),
    "a name of another module": (
        "from bigdl.nn.keras.layer import *\nL2Regularizer(0.1)", """\
L2Regularizer: BigDL 0.7 has no such name here
  got   no L2Regularizer in bigdl.nn.keras.layer
  fix   from bigdl.nn.layer import L2Regularizer"""),
    "no Python": ("print 'a' if\n", """\
script.py: is not Python 3
  got   print 'a' if"""),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_missing_is_said(name: str, tmp_path: Path) -> None:
    text, expected = MESSAGES[name]
    script = tmp_path / "script.py"
    script.write_text(text)
    with pytest.raises(StriateError) as caught:
        run_script(script, root=tmp_path / "runs")
    assert str(caught.value).startswith(expected)


def test_installed_packages_are_not_hidden() -> None:
    finder = Aliases("a script", {"numpy": {}, "numpy.lost": {"word": 1}}, {}, hides=False)
    with served(finder):
        import numpy.lost  # type: ignore[import-not-found]

        assert numpy.lost.word == 1 and numpy.zeros(1).shape == (1,)
        with pytest.raises(ImportError):
            import numpy.nowhere  # type: ignore[import-not-found]
    assert issubclass(DialectError, StriateError)


def test_a_module_of_a_dialect_is_read_by_another_process() -> None:
    with installed("bigdl"):
        from bigdl.dataset import transformer

        sent = pickle.dumps((transformer, transformer.normalizer))
    program = (
        "import pickle, sys; module, one = pickle.load(sys.stdin.buffer); "
        "print(module.__name__, module.normalizer is one, one(3.0, 1.0, 2.0))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], input=sent, capture_output=True, check=True
    ).stdout
    assert said.split() == [b"bigdl.dataset.transformer", b"True", b"1.0"]


def test_values_are_an_rdd_of_the_kind_that_was_given() -> None:
    class Real:  # as pyspark's: its context makes another
        context = property(lambda self: self)

        def getNumPartitions(self) -> int:  # noqa: N802
            return 2

        def parallelize(self, values: list[int], parts: int) -> tuple[list[int], int]:
            return values, parts

    assert rdd_like(Real(), iter([1, 2])) == ([1, 2], 2)
    assert rdd_like(RDD([5]), iter([1, 2])).collect() == [1, 2]
