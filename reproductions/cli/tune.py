"""The command `reproduce tune`: a hyperparameter search, its workers, its results, and the winner retrained."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reproductions.cli.options import (
    Container,
    Subparsers,
    add_data_dir,
    add_format,
    add_network,
    find_network,
    table_alone,
)
from reproductions.lab.errors import UsageError
from reproductions.lab.files import atomic_write, lock_directory, write_json

if TYPE_CHECKING:
    from reproductions.lab.results.run_group import RunGroup
    from reproductions.lab.results.trial_record import Trial
    from reproductions.lab.tuning.search import TrialRunner


def add_parser(subparsers: Subparsers) -> None:
    """Add the command `tune`."""
    parser = subparsers.add_parser("tune", help="search a network's hyperparameters by its validation error")
    add_network(parser.add_argument_group("what to tune"))
    add_search(parser.add_argument_group("search"))
    add_data_dir(parser.add_argument_group("data"))
    run = parser.add_argument_group("running and resuming")
    run.add_argument(
        "--run-dir", type=Path, metavar="DIR", help="folder of the search (default: runs/NETWORK-DATA-TUNER-seedN)"
    )
    run.add_argument("--resume", action="store_true", help="resume the search in the folder, if there is one")
    devices = parser.add_argument_group("devices and performance")
    devices.add_argument(
        "--workers", type=int, default=1, metavar="N", help="number of processes that share the search (default: 1)"
    )
    devices.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="intra-op threads of each process (default: one per core, shared between workers)",
    )
    devices.add_argument("--parent", type=int, help=argparse.SUPPRESS)  # process ID of a worker's chief
    add_format(parser.add_argument_group("output"))
    parser.set_defaults(run=tune)


def add_search(options: Container) -> None:
    """Add the options of the search itself."""
    options.add_argument(
        "--tuner",
        choices=("random", "bayesian", "hyperband"),
        default="random",
        help="keras-tuner's algorithm (default: random)",
    )
    options.add_argument(
        "--max-trials", type=int, metavar="N", help="number of trials (default: 20; hyperband: follows from --epochs)"
    )
    options.add_argument("--epochs", type=int, metavar="N", help="epochs of a trial (default: the recipe's)")
    options.add_argument(
        "--seed", type=int, default=1, help="random seed of the settings and of every trial (default: 1)"
    )
    options.add_argument(
        "--retrain", type=int, default=3, metavar="N", help="seeds with which the winner is retrained (default: 3)"
    )


def tune(options: argparse.Namespace) -> None:
    """Run a search, or take part in one as a worker."""
    study, network = find_network(options)
    for name, minimum in (("workers", 1), ("retrain", 0)):
        if getattr(options, name) < minimum:
            raise UsageError(f"--{name} must be at least {minimum}; got {getattr(options, name)}")
    from reproductions.lab.tuning import workers
    from reproductions.lab.tuning.plan import TuneOptions, check_folder, plan_search

    process = workers.tuner_process()
    asked = TuneOptions(**{field.name: getattr(options, field.name) for field in fields(TuneOptions)})
    planned = plan_search(study, network, asked)
    if process.role != "worker":  # the chief has made the folder
        check_folder(planned)
    import layers  # noqa: F401, which registers what recipes name, once the arguments are checked
    from reproductions.lab.training.stopping import Stopped
    from reproductions.lab.tuning import search
    from reproductions.lab.tuning.tuner import create_tuner, run_search

    runner = search.create_runner(planned, process.name)
    try:
        if process.role == "worker":
            if options.parent is not None:
                workers.exit_with_parent(options.parent)
            search.join(runner)
            run_search(create_tuner(runner))
            return
        with lock_directory(runner.run_dir), table_alone(options.format):
            search.start(runner)
            if options.workers > 1 and process.role == "single":
                search_with_workers(runner, options.workers)
            else:
                run_search(create_tuner(runner))
            finish(runner, options.retrain)
        if options.format != "text":
            print_trials(runner, options.format)
    except Stopped as stopped:
        print(f"\nreproduce: {stopped}", file=sys.stderr, flush=True)
        # A worker that was asked to stop has not finished, although a scheduler would conclude so from status 0.
        sys.exit(stopped.status or (143 if process.role == "worker" else 0))


def search_with_workers(runner: TrialRunner, size: int) -> None:
    """Run a search in several processes on this machine."""
    from reproductions.lab.results import trial_record
    from reproductions.lab.tuning import workers
    from reproductions.lab.tuning.tuner import create_tuner, search_progress

    tuner = create_tuner(replace(runner, worker=workers.become_chief().name))
    threads = workers.threads_per_worker(runner.options.threads, size)
    seen: set[Path] = set()

    def print_new_trials() -> None:
        for trial in trial_record.read_all(runner.run_dir):
            path = trial_record.path_of(runner.run_dir, trial.settings, trial.epochs)
            if path not in seen:
                seen.add(path)
                settings, result = trial_record.format_settings(trial.settings), trial_record.format_result(trial)
                print(f"{trial.worker}: {settings}: {result}", flush=True)
        shown.update(len(seen))

    def create_pool() -> workers.WorkerPool:
        return workers.WorkerPool(worker_arguments(runner, threads), size, runner.run_dir)

    with search_progress(tuner) as shown:
        workers.run_pool(tuner.search, create_pool, print_new_trials)


def worker_arguments(runner: TrialRunner, threads: int | None) -> list[str]:
    """Return the arguments of `reproduce` in a worker."""
    options = replace(runner.options, threads=threads, run_dir=runner.run_dir)
    arguments = ["tune", runner.study.name, "--network", runner.network.name]
    for field in fields(options):
        value, option = getattr(options, field.name), f"--{field.name.replace('_', '-')}"
        if value is True:
            arguments.append(option)
        elif value is not None and value is not False:
            arguments += [option, str(value)]
    return arguments


def finish(runner: TrialRunner, seeds: int) -> None:
    """Print and draw all trials, write the best settings as a recipe, and retrain the winner."""
    from reports.figures.chart import drawn
    from reports.figures.searches import search_chart
    from reproductions.lab.results import trial_record
    from reproductions.lab.results.trial_record import format_result, format_settings
    from reproductions.lab.spec import recipe_changes
    from reproductions.lab.tuning import search

    search.clean_up(runner)
    trials = trial_record.read_all(runner.run_dir)
    best = trial_record.best_of(trials)
    print()
    print_trials(runner, "text")
    print()
    figure, path = runner.run_dir / "search.svg", runner.run_dir / "best.json"
    title = f"{runner.network.name} on {runner.data.name}"
    with atomic_write(figure) as unfinished:
        unfinished.write_bytes(drawn(search_chart(trials, title)))
    if best is None:
        raise UsageError("every trial failed: choose another search space, for example with lower learning rates")
    changed, own = search.best_fields(runner, best), runner.network.to_train().as_data()
    write_json(path, changed)
    print(
        f"best: {format_settings(best.settings)}: {format_result(best)}\n"
        f"changes to the recipe: {'; '.join(recipe_changes.changes({**own, **changed}, own)) or 'none'}\n"
        f"figure: {figure}\n"
        f"recipe: {path}, for reproduce train {runner.study.name} --network {runner.network.name} --recipe {path}"
    )
    if seeds:
        print_winner(retrain_winner(runner, path, best, seeds))


def print_trials(runner: TrialRunner, output_format: str) -> None:
    """Print the table of all trials."""
    from reports.formats import format_table
    from reports.sections.tuning import trial_table
    from reproductions.lab.results import trial_record

    print(format_table(trial_table(trial_record.read_all(runner.run_dir)), output_format))


def retrain_winner(runner: TrialRunner, recipe: Path, best: Trial, seeds: int) -> RunGroup:
    """Train by the best recipe as `reproduce train` does, with several seeds, and return the runs."""
    from reproductions.lab.results.run_group import group_runs
    from reproductions.lab.results.run_record import read_run
    from reproductions.lab.results.trial_record import name_of
    from reproductions.lab.training.options import TrainOptions
    from reproductions.lab.training.train import train

    name = f"best-{name_of(best.settings)}-{best.epochs}"
    folders = [runner.run_dir / f"{name}-seed{seed}" for seed in range(1, seeds + 1)]
    for seed, folder in enumerate(folders, 1):
        print(f"\nretraining the winner, seed {seed} of {seeds}", flush=True)
        options = TrainOptions(
            seed=seed,
            recipe=recipe,
            data_dir=runner.options.data_dir,
            run_dir=folder,
            resume=True,
            threads=runner.options.threads,
        )
        train(runner.study, runner.network, options)
    (group,) = group_runs([read_run(folder) for folder in folders])
    return group


def print_winner(group: RunGroup) -> None:
    """Print the test error of the winner's runs and their mean."""
    for seed, run in group.by_seed.items():
        rate = run.record.test.top1
        low, high = rate.interval
        print(f"seed {seed}: test error {rate.error:.2f}% (95% interval {low:.2f} to {high:.2f}%)")
    seeds = "1 seed" if len(group.runs) == 1 else f"{len(group.runs)} seeds"
    print(f"{group.name} by the best recipe: test error {group.spread()} over {seeds}")
