"""Tables as text, Markdown, CSV, JSON or LaTeX."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable

import pandas

from reports import markup
from reproductions.lab.analysis.published import FAILS
from reproductions.lab.text import terminal_width

TEX = {"±": r"$\pm$", "×": r"$\times$"}
OPTION = re.compile(r"^([\[*])", re.MULTILINE)  # after the \\ that ends the row above
NARROW = 100  # characters below which a table is written as blocks


def side_by_side(cells: pandas.DataFrame) -> tuple[pandas.DataFrame, list[str]]:
    """Return an architecture table in the shape of the paper's.

    Args:
        cells: Cells of one table, as `architecture_tables.check_cells` returns them.

    Returns:
        Table with cells such as "60M (60,965,224)", the published content and the computed value, and a list of notes.
        "[1]" after a cell refers to the first note, which explains the difference.
    """
    notes: list[str] = []
    table: dict[str, dict[str, str]] = {}
    for cell in cells.to_dict("records"):
        mark = ""
        if cell["verdict"] == FAILS:
            reason = cell["reason"] or "not explained yet"
            if reason not in notes:
                notes.append(reason)
            mark = f" [{notes.index(reason) + 1}]"
        table.setdefault(cell["row"], {})[cell["column"]] = f"{cell['published']} ({cell['computed']}){mark}"
    columns = list(dict.fromkeys(cells["column"]))
    return pandas.DataFrame(list(table.values()), index=list(table), columns=columns).fillna(""), notes


def escaped(table: pandas.DataFrame) -> pandas.DataFrame:
    """Return a table whose texts Markdown shows as they are."""

    def escape(value: object) -> object:
        return str(markup.text(value)) if isinstance(value, str) else value

    return table.map(escape).rename(index=escape, columns=escape)


def format_table(table: pandas.DataFrame, output_format: str) -> str:
    """Return a table as a string.

    Args:
        table: Table, with its index.
        output_format: "text", which fits the terminal, "markdown", "csv", "json" or "latex".
    """
    writers: dict[str, Callable[[], str | None]] = {
        "text": lambda: fitting_text(table, terminal_width()),
        "markdown": lambda: escaped(table).to_markdown(),
        "csv": table.to_csv,
        "json": lambda: table.reset_index().to_json(orient="records", indent=1, force_ascii=False),
        "latex": lambda: with_tex_symbols(
            table.style.format(escape="latex")
            .format_index(escape="latex")
            .format_index(escape="latex", axis=1)
            .to_latex(hrules=True)
        ),
    }
    return str(writers[output_format]()).rstrip("\n")


def with_tex_symbols(text: str) -> str:
    """Return LaTeX with commands for characters that its fonts lack, in rows that are not options of the row above."""
    for character, command in TEX.items():
        text = text.replace(character, command)
    return OPTION.sub(r"{\1}", text)


def fitting_text(table: pandas.DataFrame, width: int) -> str:
    """Return a table as text that is not wider than the terminal.

    Args:
        table: Table, with its index.
        width: Width of the terminal in characters. A table that does not fit is wrapped cell by cell, and in a narrow
            terminal written as one block a row.
    """
    text: str = table.to_string()
    if max(map(len, text.splitlines()), default=0) <= width:
        return text
    rows = table.reset_index() if any(table.index.names) else table.reset_index(names="")
    return wrapped(rows, width) if width >= NARROW else blocks(rows, width)


def wrapped(rows: pandas.DataFrame, width: int) -> str:
    """Return rows as a table whose cells are wrapped."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=True)
    for name in rows.columns:
        table.add_column(str(name), overflow="fold")
    for row in rows.itertuples(index=False):
        table.add_row(*map(str, row))
    console = Console(width=width, file=io.StringIO(), markup=False, highlight=False, emoji=False)
    with console.capture() as text:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.get().splitlines()).strip("\n")


def blocks(rows: pandas.DataFrame, width: int) -> str:
    """Return each row as a block of lines "column: value", without empty values."""
    found = []
    for row in rows.astype(str).to_dict("records"):
        lines = (f"{name}: {value}" if name else value for name, value in row.items() if value)
        found.append("\n".join(textwrap.fill(line, width, subsequent_indent="    ") for line in lines))
    return "\n\n".join(found)
