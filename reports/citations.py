"""Papers as entries of a bibliography."""

from __future__ import annotations

import re
import unicodedata

from reproductions.lab.spec.study import Study

SMALL_WORDS = ("a", "an", "the", "on", "of", "for", "in")


def citation_key(study: Study) -> str:
    """Return the key of a paper: first author, year and first word of the title, such as "lecun1998gradient"."""
    author = re.split(r"[ ,]", study.authors)[0]
    words = [word for word in re.findall(r"\w+", study.title) if word.lower() not in SMALL_WORDS]
    plain = unicodedata.normalize("NFKD", f"{author}{study.year}{words[0]}").encode("ascii", "ignore").decode()
    return plain.lower()


def bibtex(study: Study) -> str:
    """Return a paper as an entry of BibTeX."""
    authors = re.sub(r" et al\.$", " and others", study.authors)
    authors = " and ".join(re.split(r", | and ", authors))
    fields = {"author": authors, "title": f"{{{study.title}}}", "year": str(study.year), "url": study.url}
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{{citation_key(study)},\n{lines}\n}}\n"
