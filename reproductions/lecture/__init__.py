"""The lecture's claims that can be checked, in its order: Sarkar, CS60010 Deep Learning, Convolution, January 2018.

The lecture's text was extracted from slides: pictures are missing, and a minus or an exponent here and there, which
is no false claim. Its memory figures count numbers, not bytes.
"""

from __future__ import annotations

from reproductions.lab.claims import Claim
from reproductions.lecture import alexnet, case_studies, convolution, googlenet, vgg

PARTS = (
    convolution.convolution,
    convolution.pooling,
    convolution.without_pooling,
    case_studies.case_studies,
    case_studies.lenet,
    case_studies.imagenet,
    alexnet.alexnet_on_imagenet,
    alexnet.alexnet_listing,
    alexnet.alexnet_details,
    vgg.zfnet,
    vgg.vgg_tables,
    vgg.vgg_small_filters,
    vgg.vgg_listing,
    googlenet.googlenet,
    googlenet.googlenet_table,
    googlenet.inception,
)
CLAIMS: tuple[Claim, ...] = tuple(claim for part in PARTS for claim in part())
