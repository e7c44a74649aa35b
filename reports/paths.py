"""Where the committed records, searches, computed tables, published figures and pages are."""

from pathlib import Path

REPORTS = Path(__file__).parent
RUNS = REPORTS / "runs"
ENSEMBLES = REPORTS / "ensembles"
WEIGHTS = REPORTS / "weights"
TUNED = REPORTS / "tuned"
COMPUTED = REPORTS / "computed"
PAGES = REPORTS / "pages"

ROOT = REPORTS.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PUBLISHED = ROOT / "reproductions" / "published"
