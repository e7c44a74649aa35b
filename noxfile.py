"""Sessions: the main job and every check. `nox --list` names them; docs/testing.md says when to use which."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.4.15"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint", "types", "imports", "backends"]

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
# A worker imports TensorFlow and holds a network or two, some 2 GiB, so no more of them than that.
PARALLEL = ("--numprocesses", "auto", "--maxprocesses", "4", "--dist", "worksteal")


def install(session: nox.Session, *further: str, extras: str = "test") -> None:
    """Install the suite with its test dependencies, and compile it: TensorFlow imports twice as fast."""
    session.install("-e", f".[{extras}]", *further, silent=False, env={"UV_COMPILE_BYTECODE": "1"})
    if session.venv_backend != "uv":
        session.run("python", "-m", "compileall", "-q", session.virtualenv.location, silent=True, success_codes=[0, 1])


@nox.session
def reproduce(session: nox.Session) -> None:
    """The main job: train LeNet-5, or reuse a finished run, then report. Arguments go to `reproduce train`."""
    install(session)
    session.run("reproduce", "train", "lenet5", "--resume", "--report", *session.posargs)


@nox.session
def report(session: nox.Session) -> None:
    """The committed pages, from the committed records. `nox -s report -- --check` fails if a page would change."""
    install(session)
    session.run("reproduce", "report", *session.posargs)


@nox.session
def site(session: nox.Session) -> None:
    """The static site of all pages in the folder `site`, checked in Debian's Chromium. Arguments go to pytest."""
    install(session, extras="test,browser")
    session.run("reproduce", "report", "--html", "site")
    if shutil.which("chromium") is None and shutil.which("apt-get"):
        for words in ("update", "--quiet"), ("install", "--yes", "--quiet", "chromium"):
            session.run("apt-get", *words, external=True, silent=True, success_codes=[0, 100])  # 100: not allowed to
    if shutil.which("chromium") is None:
        session.warn("chromium cannot be installed: the site is built, but not opened")
    session.run("pytest", "-m", "browser", "tests/site", *session.posargs, env={"REPRODUCTIONS_SITE": "site"})


@nox.session
def tests(session: nox.Session) -> None:
    """The default test suite, and that the committed pages are what the committed records give."""
    install(session)
    session.run("pytest", *PARALLEL, *session.posargs)
    session.run("reproduce", "report", "--check")


@nox.session(python=PYTHONS)
def pythons(session: nox.Session) -> None:
    """The default test suite on every supported Python that is installed."""
    install(session)
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Trainings that are killed and resumed, networks compared with timm's, and other tests that take minutes."""
    install(session, extras="test,slow")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def imagenet(session: nox.Session) -> None:
    """Every ImageNet network by its own recipe on fake official files: prepared, trained, killed, tested, reported."""
    install(session)
    session.run("pytest", "-m", "imagenet", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, docstrings and formatting, by ruff."""
    session.install("ruff>=0.12")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, by mypy, with the libraries that have types of their own."""
    session.install("mypy>=1.15", "numpy", "msgspec", "rich", "jinja2", "pillow", "matplotlib")
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Which package may import which, by import-linter."""
    session.install("import-linter>=2.5")
    session.run("lint-imports", env={"PYTHONPATH": "."})


@nox.session
def backends(session: nox.Session) -> None:
    """Layers and networks on JAX: the same outputs as on TensorFlow for the same weights."""
    install(session, "jax>=0.4.34")
    session.run("pytest", *PARALLEL, "tests/layers", *session.posargs, env={"KERAS_BACKEND": "jax"})
    session.run("pytest", "tests/papers", "-k", "other_backend", env={"KERAS_BACKEND": "jax"})


@nox.session
def bench(session: nox.Session) -> None:
    """Each speed claim, as a ratio measured in one run, written to benchmarks/results.json."""
    install(session)
    for benchmark in sorted(Path("benchmarks").glob("*.py")):
        if "__main__" in benchmark.read_text(encoding="utf-8"):
            session.run("python", str(benchmark))
