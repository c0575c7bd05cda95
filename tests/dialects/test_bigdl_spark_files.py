"""Data frames of files, columns made of columns, BigDL 0.1's modules, networks with code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.dialects import evidence, installed
from striate.dialects.program import run_script

near = np.testing.assert_allclose


@pytest.fixture
def spark() -> Any:
    with installed("bigdl"):
        from pyspark.sql import SparkSession

        yield SparkSession.builder.appName("app").getOrCreate()


def test_rows_are_written_and_read(spark: Any, tmp_path: Path) -> None:
    table = spark.createDataFrame([(1, "a", 0.5), (2, "b", 1.5)], ["id", "name", "x"])
    table.write.csv(str(tmp_path / "out"), header=True)
    read = spark.read.format("csv").option("header", "true").option("inferSchema", "true")
    assert read.load(str(tmp_path / "out")).collect() == [(1, "a", 0.5), (2, "b", 1.5)]
    words = spark.read.csv(f"file://{tmp_path}/out", header=True)
    assert words.first()["id"] == "1"  # nothing is inferred unless it is asked for
    assert spark.read.csv(str(tmp_path / "out")).columns == ["_c0", "_c1", "_c2"]
    table.write.format("json").mode("append").save(str(tmp_path / "out"))
    assert spark.read.json(str(tmp_path / "out")).count() == 2
    with pytest.raises(Exception, match="is there already") as told:
        table.write.csv(str(tmp_path / "out"))
    assert 'df.write.mode("overwrite")' in str(told.value)
    with pytest.raises(Exception, match="there is no such file"):
        spark.read.csv(str(tmp_path / "none"))
    with pytest.raises(Exception, match="there are no files of 'orc' here"):
        spark.read.format("orc")


def test_rows_are_joined_ordered_and_named(spark: Any) -> None:
    one = spark.createDataFrame([(2, "b"), (1, "a"), (3, "c")], ["id", "name"])
    two = spark.createDataFrame([(1, 10.0), (2, 20.0), (1, 11.0)], ["id", "x"])
    assert one.join(two, on="id").orderBy("x").collect() == [
        (1, "a", 10.0), (1, "a", 11.0), (2, "b", 20.0)]  # fmt: skip
    left = one.join(two, ["id"], "left").filter("id = 3")
    assert left.collect() == [(3, "c", None)] and left.dropna().count() == 0
    one.createOrReplaceTempView("names")
    assert spark.table("names").columns == ["id", "name"]
    assert list(spark.createDataFrame(one.toPandas()).column("name")) == ["b", "a", "c"]
    assert one.sample(0.999999, 1).count() == one.sample(False, 0.999999).count() == 3
    with pytest.raises(Exception, match="is of columns by their names here"):
        one.join(two, "id", "outer")


def test_columns_are_made_of_columns(spark: Any) -> None:
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import MinMaxScaler, StandardScaler, StringIndexer, VectorAssembler
    from pyspark.ml.linalg import Vectors

    table = spark.createDataFrame(
        [(0.0, Vectors.dense([1.0, 5.0]), "b"), (2.0, Vectors.sparse(2, [1], [5.0]), "a"),
         (4.0, Vectors.dense(2.0, 5.0), "b")], ["x", "v", "word"])  # fmt: skip
    stages = [VectorAssembler(inputCols=["x", "v"], outputCol="all"),
              MinMaxScaler(inputCol="all", outputCol="scaled"),
              StandardScaler(inputCol="all", outputCol="standard", withMean=True),
              StringIndexer(inputCol="word", outputCol="number")]  # fmt: skip
    made = Pipeline(stages=stages).fit(table).transform(table)
    near(made.column("all")[1], [2, 0, 5])
    near(made.column("scaled"), [[0, 0.5, 0.5], [0.5, 0, 0.5], [1, 1, 0.5]])
    near(made.column("standard"), [[-1, 0, 0], [0, -1, 0], [1, 1, 0]])
    assert made.column("number") == [0.0, 1.0, 0.0]


def test_bigdl_0_1_is_imported_without_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "old.py"
    script.write_text("""
from nn.layer import *
from nn.criterion import *
from optim.optimizer import *
from util.common import *
init_engine()
pairs = sc.parallelize([(np.eye(2)[k % 2], k % 2) for k in range(64)])
data = pairs.map(lambda (features, label): Sample.from_ndarray(features, label + 1))
print np.resize(data.first().features, (1, 2)), data.first().label[0]
model = Sequential().add(Linear(2, 2)).add(LogSoftMax())
trained = Optimizer(model=model, training_rdd=data, criterion=ClassNLLCriterion(),
    optim_method="SGD", state={"learningRate": 1.0}, end_trigger=MaxEpoch(5),
    batch_size=32).optimize()
print [int(np.argmax(one)) for one in trained.predict(data).take(2)]
""", encoding="utf-8")  # fmt: skip
    run_script(script, seed=0, root=tmp_path / "runs")
    told = capsys.readouterr().out
    assert "[[1. 0.]] 1.0" in told and told.rstrip().endswith("[0, 1]")


def test_another_package_called_nn_is_left_alone(tmp_path: Path) -> None:
    script = tmp_path / "own.py"
    script.write_text("import torch\nfrom nn.layer import Mine\n", encoding="utf-8")
    assert [one.dialect.NAME for one in evidence.find(evidence.words(script))] == ["pytorch"]


def test_a_network_with_code_is_read_again_in_its_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "deep" / "net.bigdl")
    with installed("bigdl"):
        from bigdl.nn.layer import GRU, Linear, Masking, Model, Recurrent, Select, Sequential

        net = Sequential().add(Masking(0.0)).add(Recurrent().add(GRU(3, 4)))
        net.add(Select(2, -1)).add(Linear(4, 2))
        out = net.forward(np.ones((2, 5, 3)))
        net.saveModel(path, None, True)
        net.set_weights([0 * one for one in net.get_weights()])
        near(Model.loadModel(path).forward(np.ones((2, 5, 3))), out)
        linear = Linear(4, 2)
        linear.save(path, True)  # its input is known, without a call
        near(Model.load(path).get_weights()[0], linear.get_weights()[0])
    assert "has the weights alone: Masking" in "".join(capsys.readouterr())


def test_numbers_are_drawn_as_torch_7_draws_them() -> None:
    with installed("bigdl"):
        from bigdl.util.common import RNG

        draws = RNG()
        draws.set_seed(100)
        # Source: pyspark/test/bigdl/test_simple_integration.py of BigDL
        wanted = [[0.15434049, 0.16711557, 0.12783694], [0.14120464, 0.14245176, 0.15263824]]
        near(draws.uniform(0.1, 0.2, [2, 3]), wanted, atol=1e-7)
