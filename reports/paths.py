"""Where the committed records, searches, computed tables, published figures and pages are."""

from pathlib import Path

from reproductions.lab.errors import UsageError

REPORTS = Path(__file__).parent
RUNS = REPORTS / "runs"
ENSEMBLES = REPORTS / "ensembles"
WEIGHTS = REPORTS / "weights"
PICTURES = REPORTS / "pictures"
TUNED = REPORTS / "tuned"
COMPUTED = REPORTS / "computed"
PAGES = REPORTS / "pages"
PICTURES = REPORTS / "pictures"

ROOT = REPORTS.parent
DOCS = ROOT / "docs"
README = ROOT / "README.md"
BENCHMARKS = ROOT / "benchmarks" / "results.json"
PUBLISHED = ROOT / "reproductions" / "published"


def require_checkout(command: str) -> None:
    """Check that there are committed files to write or compare: an installed package has none.

    Args:
        command: What needs them, for the message.

    Raises:
        UsageError: If this is not a checkout of the repository.
    """
    if not ((ROOT / "noxfile.py").is_file() and DOCS.is_dir()):
        raise UsageError(f"{command} is for a clone of the repository, which {ROOT} is not")
