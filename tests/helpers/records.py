"""Records of no run, with the figures that a test wants."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import reproductions
from reproductions.lab.results.ensemble_record import EnsembleRecord, Member
from reproductions.lab.results.entries import (
    DataSummary,
    EpochResult,
    ErrorRate,
    EvaluationResult,
    Execution,
    Misclassified,
)
from reproductions.lab.results.picture_record import ImageSource, PictureRecord, WeightsSource
from reproductions.lab.results.run_record import Record, Run
from reproductions.lab.results.weights_record import WeightsRecord
from reproductions.lab.spec.provenance import Provenance

STUDIES = reproductions.studies()
LENET5 = STUDIES["lenet5"]
LECTURE = next(network for network in LENET5.networks if network.name == "lenet5-lecture")
RECIPE = LENET5.networks[0].to_train().as_data()


def result(errors: int, images: int = 10000, protocol: str = "whole image", classes: int = 10) -> EvaluationResult:
    """A test with that many errors."""
    return EvaluationResult(protocol, images, [images // classes] * classes, ErrorRate.of(errors, images))


def first_errors(errors: int) -> Misclassified:
    """The first images, each taken for the next class."""
    return Misclassified(list(range(errors)), [i % 10 for i in range(errors)], [(i + 1) % 10 for i in range(errors)])


def made_up(errors: int, seed: int = 1, data: str = "mnist", **changes: Any) -> Record:
    """A record of LeNet-5 with that many errors of 10,000; `changes` are of its recipe."""
    return Record(
        study="lenet5",
        network="lenet5",
        seed=seed,
        recipe={**RECIPE, **changes},
        data=DataSummary(data, "a test", data, train=55000, validation=5000, test=10000, classes=10),
        commit="c" * 40,
        dirty=False,
        versions={},
        device="none",
        strategy="one device",
        parameters={"trainable": 60000, "non_trainable": 840},
        history=[EpochResult(i, 1.0, 5 / i, 0.001, 1.0) for i in range(1, 21)],
        test=result(errors),
        misclassified=first_errors(errors),
        finished="",
        wall_seconds=20.0,
        images_per_second=60000.0,
    )


def lecture(errors: int, seed: int = 1, **changes: Any) -> Record:
    """The same of the lecture's network, by its own recipe."""
    recipe = {**LECTURE.to_train().as_data(), **changes}
    return replace(made_up(errors, seed), network=LECTURE.name, recipe=recipe)


def executed(record: Record, **execution: Any) -> Record:
    """The record with another execution."""
    return replace(record, execution=Execution(**{**asdict(record.execution), **execution}))


def learning(errors: list[float], record: Record) -> Record:
    """The record with these training errors, one for each epoch."""
    history = [EpochResult(epoch, 1.0, error, 0.001, 1.0) for epoch, error in enumerate(errors, 1)]
    return replace(record, history=history)


def as_runs(*records: Record) -> list[Run]:
    """The records as runs in files that do not exist."""
    return [Run(Path(f"{record.network}-seed{record.seed}.json"), record) for record in records]


def member(errors: int, seed: int = 1, network: str = "lenet5", images: int = 10000, **changes: Any) -> Member:
    """A member of an ensemble, by its network's own recipe except for some fields."""
    study, own = next((study, each) for study in STUDIES.values() for each in study.networks if each.name == network)
    return Member(
        study=study.name,
        network=network,
        seed=seed,
        recipe={**own.to_train().as_data(), **changes},
        execution=Execution(forward_batch_size=own.to_train().micro_batch_size),
        commit="c" * 40,
        dirty=False,
        weights=f"{network} {seed}",
        top1=ErrorRate.of(errors, images),
    )


def ensemble(test: EvaluationResult, *members: Member, data: str = "mnist") -> EnsembleRecord:
    """The record of an ensemble with that result; without misclassified images."""
    summary = DataSummary(data, "a test", data, train=55000, validation=5000, test=test.images)
    return EnsembleRecord(list(members), summary, test, Misclassified([], [], []))


def published_weights(test: EvaluationResult, **changes: Any) -> WeightsRecord:
    """The record of a test of the stored network of ConvNetJS' demo, except for some fields."""
    network = "convnetjs-cifar10"
    provenance = Provenance(network, "demo", "Andrej Karpathy", "net.json", "a" * 64, {}, ("to_half_range",))
    fields = dict(
        study="convnetjs",
        network=network,
        weights=provenance,
        digest="b" * 64,
        data=DataSummary("cifar10", "a test", "cifar10", train=45000, validation=5000, test=10000, classes=10),
        sample=False,
        test=test,
        commit="c" * 40,
        dirty=False,
        versions={},
        device="none",
        finished="",
    )
    return WeightsRecord(**{**fields, **changes})  # type: ignore[arg-type]


def picture() -> PictureRecord:
    """The record of a picture of feature maps."""
    return PictureRecord(
        name="lenet5-features",
        study="lenet5",
        network="lenet5",
        kind="features",
        method=None,
        layer=None,
        title="lenet5: feature maps",
        caption="The feature maps of a digit.",
        alt="Rows of small grey images.",
        width=1400,
        height=900,
        weights=WeightsSource("lenet5.safetensors", "0" * 64, "this suite"),
        image=ImageSource("test image 0 of mnist", "a test", "a licence"),
        command="reproduce show lenet5 features",
        commit="c" * 40,
        dirty=False,
    )
