"""Where the committed records, searches, computed tables and pages are."""

from pathlib import Path

REPORTS = Path(__file__).parent
RUNS = REPORTS / "runs"
TUNED = REPORTS / "tuned"
COMPUTED = REPORTS / "computed"
PAGES = REPORTS / "pages"
