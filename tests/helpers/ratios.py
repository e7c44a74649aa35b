"""A measured ratio."""

from reproductions.lab.results.benchmark import Benchmark, Machine

ONE = Benchmark(
    name="LRN",
    what="Time of a layer",
    baseline="another",
    better="lower",
    ratio=0.5,
    low=0.4,
    high=0.6,
    blocks=7,
    aim=0.45,
    versions={"python": "3.11.7"},
    machine=Machine("some processor", 2, quiet=True),
    note="It computes powers.",
)
