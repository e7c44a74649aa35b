"""The command `reproduce tune`: a search, its workers, what came of it, and the winner trained again."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reproductions
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write

if TYPE_CHECKING:
    from reproductions.lab.tuning.search import Bench


def add_tune(commands: Any) -> None:
    tuning = commands.add_parser("tune", help="search a network's settings, by its error on the validation part")
    tuning.add_argument("study")
    tuning.add_argument("--network", help="default: the paper's own, the first that `list` names")
    tuning.add_argument("--tuner", choices=("random", "bayesian", "hyperband"), default="random")
    tuning.add_argument("--max-trials", type=int, metavar="N", help="default: 20; hyperband's follow from --epochs")
    tuning.add_argument("--epochs", type=int, metavar="N", help="passes a trial; default: the recipe's")
    tuning.add_argument("--workers", type=int, default=1, metavar="N", help="processes that share the search")
    tuning.add_argument("--resume", action="store_true", help="go on with the search in the folder, if there is one")
    tuning.add_argument("--run-dir", type=Path, metavar="DIR", help="default: runs/NETWORK-DATA-TUNER-seedN")
    tuning.add_argument("--data-dir", type=Path, help="default: the folder that REPRODUCTIONS_DATA names")
    tuning.add_argument("--seed", type=int, default=1, help="of the settings drawn, and of every trial")
    tuning.add_argument(
        "--retrain", type=int, default=3, metavar="SEEDS", help="train the winner so often, and test it"
    )
    tuning.set_defaults(run=tune)


def tune(options: argparse.Namespace) -> None:
    study = reproductions.find_study(options.study)
    network = reproductions.find_network(options.network or study.networks[0].name, study)
    for name, least in (("workers", 1), ("retrain", 0)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name} must be at least {least}; got {getattr(options, name)}")
    import layers  # noqa: F401, which registers what networks are made of
    from reproductions.lab.training.checkpoint import alone_in
    from reproductions.lab.training.loop import Stopped
    from reproductions.lab.tuning import search as tune
    from reproductions.lab.tuning import workers as crew

    role = crew.role()
    search = tune.Search(**{field.name: getattr(options, field.name) for field in fields(tune.Search)})
    bench = tune.bench(study, network, search)
    try:
        if role == "worker":
            crew.leave_with_parent()
            tune.join(bench)
            tune.run(tune.tuner(bench))
            return
        with alone_in(bench.run_dir):
            tune.begin(bench)
            if options.workers > 1 and role == "alone":
                together(bench, options.workers)
            else:
                tune.run(tune.tuner(bench))
            finish(bench, options.retrain)
    except Stopped as stopped:
        print(f"\nreproduce: {stopped}", file=sys.stderr, flush=True)
        # A worker that was asked to stop is not done, whatever its status would say to a scheduler.
        sys.exit(stopped.status or (143 if role == "worker" else 0))


def together(bench: Bench, workers: int) -> None:
    """The search by several processes of this machine."""
    from reproductions.lab.results import trial_record
    from reproductions.lab.tuning import search as tune
    from reproductions.lab.tuning import workers as crew

    crew.become_chief()
    tuner, seen = tune.tuner(bench), set()

    def look() -> None:
        for trial in trial_record.read_all(bench.run_dir):
            if (key := trial_record.path_of(bench.run_dir, trial.settings, trial.passes)) not in seen:
                seen.add(key)
                print(f"{trial.worker}: {trial_record.told(trial.settings)}: {trial_record.outcome(trial)}", flush=True)

    crew.search(tuner.search, lambda: crew.Crew(words(bench), workers, bench.run_dir), look)


def words(bench: Bench) -> list[str]:
    """The command line of a worker."""
    given = {field.name: getattr(bench.search, field.name) for field in fields(bench.search)}
    switches = {name: value for name, value in given.items() if value is not None and value is not False}
    told = ["tune", bench.study.name, "--network", bench.network.name]
    for name, value in (switches | {"run_dir": bench.run_dir}).items():
        told += [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
    return told


def finish(bench: Bench, retrain: int) -> None:
    """The table of trials, their picture, the best settings as a recipe, and the winner trained again."""
    from reports.formats import format_table
    from reports.pages import templates
    from reports.sections import tuning as searches
    from reproductions.lab.results import trial_record
    from reproductions.lab.spec import recipe_changes
    from reproductions.lab.tuning import search as tune

    tune.sweep(bench)
    found = trial_record.read_all(bench.run_dir)
    best = trial_record.best_of(found)
    print(f"\n{format_table(searches.table(found), 'text')}\n")
    with atomic_write(bench.run_dir / "search.svg") as unfinished:
        unfinished.write_text(searches.picture(templates(), found, f"{bench.network.name} on {bench.data.name}"))
    if best is None:
        raise UsageError("every trial failed: choose another search space, with lower learning rates for one")
    path, told = bench.run_dir / "best.json", tune.best_recipe(bench, best)
    with atomic_write(path) as unfinished:
        unfinished.write_text(json.dumps(told, indent=1) + "\n")
    own = bench.network.to_train().as_data()
    print(
        f"best: {trial_record.told(best.settings)}: {trial_record.outcome(best)}\n"
        f"against the recipe: {'; '.join(recipe_changes.changes({**own, **told}, own)) or 'nothing'}\n"
        f"picture: {bench.run_dir / 'search.svg'}\n"
        f"recipe: {path}, for reproduce train {bench.study.name} --network {bench.network.name} --recipe {path}"
    )
    if retrain:
        show_winner(bench, path, f"{trial_record.name_of(best.settings)}-{best.passes}", retrain)


def show_winner(bench: Bench, recipe: Path, name: str, seeds: int) -> None:
    """Trains by the best recipe as `reproduce train` does, a run a seed, and tells their error on the test part."""
    from reproductions.cli.compare import mean, span
    from reproductions.lab.results.compare import described, kinds_of, read, summed_up
    from reproductions.lab.training.config import Options
    from reproductions.lab.training.train import train

    folders = [bench.run_dir / f"best-{name}-seed{seed}" for seed in range(1, seeds + 1)]
    for seed, folder in enumerate(folders, 1):
        print(f"\nthe winner, seed {seed} of {seeds}", flush=True)
        asked = Options(seed=seed, recipe=recipe, data_dir=bench.search.data_dir, run_dir=folder, resume=True)
        train(bench.study, bench.network, asked)
    (kind,) = kinds_of([read(folder) for folder in folders])
    protocol = next(iter(kind.runs.values())).record.protocol
    for seed in kind.runs:
        run = described(kind, seed, protocol)
        print(f"seed {seed}: test error {run['error']:.2f}% (95% interval {span(run['interval'])}%)")
    print(f"{kind.name} by the best recipe: test error {mean(summed_up(kind, protocol))} over {seeds} seed(s)")
