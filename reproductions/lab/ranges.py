"""Numbers and texts within bounds: annotations of fields that `json_files` checks.

The bounds exclude what no run could have, not what is unusual.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

LARGEST_INTEGER = (1 << 31) - 1

Whole = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
Positive = Annotated[int, Meta(ge=1, le=LARGEST_INTEGER)]
Epochs = Annotated[int, Meta(ge=1, le=1_000_000)]
Classes = Annotated[int, Meta(ge=1, le=25_000)]  # the whole ImageNet has 21,841
Images = Annotated[int, Meta(ge=1, le=1 << 20)]  # that go through a network together
Pixels = Annotated[int, Meta(ge=1, le=8192)]  # of a side

NonNegative = Annotated[float, Meta(ge=0)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Rate = Annotated[float, Meta(ge=0, le=3e38)]
PositiveRate = Annotated[float, Meta(gt=0, le=3e38)]
Factor = Annotated[float, Meta(gt=0, le=1)]
EpochCount = Annotated[float, Meta(ge=1e-3, le=1e6)]
Exponent = Annotated[float, Meta(gt=0, le=100)]

Name = Annotated[str, Meta(min_length=1, max_length=200)]
