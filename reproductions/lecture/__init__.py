"""The checkable statements of a lecture, slide by slide: Sarkar, CS60010 Deep Learning, Convolution, January 2018.

The text of the lecture was extracted from its slides. Images are missing, and some minus signs and exponents; these
omissions are not treated as false statements. The lecture's memory figures count numbers, not bytes.
"""

from __future__ import annotations

from reproductions.lab.analysis.claims import Claim
from reproductions.lecture import slides_alexnet, slides_case_studies, slides_convolution, slides_googlenet, slides_vgg

SECTIONS = (
    slides_convolution.convolution,
    slides_convolution.pooling,
    slides_convolution.without_pooling,
    slides_case_studies.case_studies,
    slides_case_studies.lenet,
    slides_case_studies.imagenet,
    slides_alexnet.alexnet_on_imagenet,
    slides_alexnet.alexnet_listing,
    slides_alexnet.alexnet_details,
    slides_vgg.zfnet,
    slides_vgg.vgg_tables,
    slides_vgg.vgg_small_filters,
    slides_vgg.vgg_listing,
    slides_googlenet.googlenet,
    slides_googlenet.googlenet_table,
    slides_googlenet.inception,
)
CLAIMS: tuple[Claim, ...] = tuple(claim for section in SECTIONS for claim in section())
