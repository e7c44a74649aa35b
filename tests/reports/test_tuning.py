"""Hyperparameter searches on the pages."""

from dataclasses import replace

import pytest

from reports.sections import tuning
from reproductions.lab.errors import UsageError
from reproductions.lab.results.entries import EpochResult, Execution
from reproductions.lab.results.trial_record import CodeState, SearchRecord, Trial
from tests.helpers.pages import pages
from tests.helpers.records import RECIPE, made_up

BEST = {"learning_rate": [[1, 0.01]]}
SEARCH = SearchRecord(
    study="lenet5", network="lenet5", tuner="random", seed=1, epochs=20, recipe=RECIPE, search_space={},
    sha256="mnist", data="mnist", commit=None, dirty=None,
)  # fmt: skip


def trial(rate: float, error: float) -> Trial:
    recipe = {**RECIPE, "learning_rate": [[1, rate]], "splits": ["train"]}
    history = [EpochResult(1, 1.0, 1.0, rate, 1.0, val_loss=1.0, val_error=error)]
    return Trial({"learning_rate": rate}, recipe, 1, history, error, None, 1.0, "tuner0", f"{rate}")


def page(*records, search: tuning.Search) -> str:
    return pages(records or [made_up(90)], searches=[search]).texts["lenet5.md"]


def test_a_search_is_shown_with_its_winner_s_runs():
    search = tuning.Search("lenet5-random", SEARCH, [trial(0.1, 3.0), trial(0.01, 2.0)])
    made = pages([made_up(90), made_up(80, **BEST)], searches=[search])
    text = made.texts["lenet5.md"]
    assert "tune lenet5 --network lenet5 --tuner random --epochs 20 --seed 1 --max-trials 2 --retrain 0`.\n" in text
    assert "The best: learning rate 0.01: validation error 2.00% after 20 epochs, 1 s." in text
    own, winner = "The network's own recipe, lenet5 (1)", "the winner, retrained, lenet5 (2)"
    assert f"- {own}: test error 0.90%, seeds 1; {winner}: test error 0.80%, seeds 1." in text
    assert "lenet5-search-lenet5-random.svg" in made.charts and "](lenet5-search-lenet5-random.svg)" in text
    longer = page(made_up(90), made_up(80, epochs=25, **BEST), search=search)
    assert f"{winner}: test error 0.80%" in longer, "trials may have had fewer epochs"
    assert "the winner" not in page(search=search)
    assert "the winner" not in page(made_up(90), made_up(80, data="mnist-subset", **BEST), search=search)


def test_commits_of_a_resumed_search_are_named():
    first = replace(trial(0.1, 3.0), code=CodeState("a" * 40, False), execution=Execution(threads=2))
    for letter, resumed in (("a", ""), ("b", f", resumed at {'b' * 10}")):
        second = replace(trial(0.01, 2.0), code=CodeState(letter * 40, False))
        search = tuning.Search("s", replace(SEARCH, commit="a" * 40), [first, second])
        text = page(search=search)
        assert f"at commit {'a' * 10}{resumed}.\n" in text
        assert " threads " in text, "one of them has it"
    before = page(search=tuning.Search("s", SEARCH, [trial(0.1, 3.0)]))
    assert "at commit" not in before and " threads " not in before


def test_a_winner_that_became_the_recipe_is_not_compared():
    winner = replace(trial(0.01, 2.0), recipe={**RECIPE, "splits": ["train"]})
    text = page(search=tuning.Search("lenet5-random", SEARCH, [winner]))
    assert "The best: learning rate 0.01" in text and "the winner" not in text


def test_an_incomplete_search_is_named(tmp_path):
    folder = tmp_path / "lenet5-random"
    folder.mkdir()
    SEARCH.write(folder / "search.json")
    with pytest.raises(UsageError, match="lenet5-random is not a complete search: it has no trials"):
        tuning.read_searches(tmp_path)
    trial(0.1, 3.0).write(folder / "trials" / "a-20.json")
    (found,) = tuning.read_searches(tmp_path)
    assert (found.name, found.record, len(found.trials)) == ("lenet5-random", SEARCH, 1)
