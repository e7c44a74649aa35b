"""The result of checking a published statement, as it is saved and shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClaimResult:
    """Result of checking one claim.

    Attributes:
        id: Name of the claim.
        slide: Title of its slide.
        study: Paper it belongs to; "" for none.
        quote: The statement, quoted.
        published: The number, shape or word in it that was checked.
        computed: Value it was compared with; "" if it could not be computed.
        source: Where that value comes from.
        verdict: One of `published.VERDICTS`.
        reason: Why the claim does not hold, or what is needed to decide it; "" if it holds.
    """

    id: str
    slide: str
    study: str
    quote: str
    published: str
    computed: str
    source: str
    verdict: str
    reason: str
