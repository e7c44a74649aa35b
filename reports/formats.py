"""Tables that need no training: shaped like the papers' own, printed beside computed, in any format."""

from __future__ import annotations

from collections.abc import Callable

import pandas

from reproductions.lab.analysis.published import FAILS


def side_by_side(cells: pandas.DataFrame) -> tuple[pandas.DataFrame, list[str]]:
    """One table in the paper's shape, every cell "printed (computed)", and notes on those marked with a number."""
    notes: list[str] = []
    table: dict[str, dict[str, str]] = {}
    for cell in cells.to_dict("records"):
        mark = ""
        if cell["verdict"] == FAILS:
            why = cell["why"] or "not explained yet"
            if why not in notes:
                notes.append(why)
            mark = f" [{notes.index(why) + 1}]"
        table.setdefault(cell["row"], {})[cell["column"]] = f"{cell['printed']} ({cell['computed']}){mark}"
    columns = list(dict.fromkeys(cells["column"]))
    return pandas.DataFrame(list(table.values()), index=list(table), columns=columns).fillna(""), notes


def written(table: pandas.DataFrame, form: str) -> str:
    """A table as text, markdown, csv, json or latex."""
    writers: dict[str, Callable[[], str | None]] = {
        "text": table.to_string,
        "markdown": table.to_markdown,
        "csv": table.to_csv,
        "json": lambda: table.reset_index().to_json(orient="records", indent=1),
        "latex": lambda: (
            table.style.format(escape="latex")
            .format_index(escape="latex")
            .format_index(escape="latex", axis=1)
            .to_latex(hrules=True)
        ),
    }
    return str(writers[form]()).rstrip("\n")
