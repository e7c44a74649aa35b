// Long tables can be sorted by their headings, and filtered by a field above them.
const LONG = 15; // rows

function makeFilter(table) {
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "Filter rows";
  field.setAttribute("aria-label", "Filter the rows of the table");
  field.className = "table-filter";
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  return field;
}

document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll(".bd-article table")) {
    const frame = table.closest(".pst-scrollable-table-container") || table;
    frame.tabIndex = 0; // a table that is wider than the page is scrolled by the keyboard, too
    if (table.tBodies[0].rows.length < LONG) continue;
    for (const heading of table.tHead.rows[0].cells) heading.setAttribute("role", "columnheader");
    new Tablesort(table);
    frame.before(makeFilter(table));
  }
});
