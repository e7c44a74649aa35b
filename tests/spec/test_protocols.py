"""Protocols: their names, which published figures and commands share, and their sizes."""

import pytest

import reproductions
from reports.paths import PUBLISHED
from reports.published import read_figures
from reproductions.lab.errors import UsageError
from reproductions.lab.spec import protocols
from reproductions.lab.spec.protocols import PROTOCOLS, find


def test_short_sides_are_the_papers_at_its_input_size():
    """For other input sizes they are in proportion."""
    ten, many = PROTOCOLS["ten crops"], PROTOCOLS["144 crops"]
    assert ten.short_sides_for(224) == ten.short_sides_for(227) == [256]
    assert ten.short_sides_for(112) == [128] and many.short_sides_for(224) == [256, 288, 320, 352]
    assert many.short_sides_for(299) == [342, 384, 427, 470]


def test_published_figures_have_protocols_of_the_suite():
    for study in reproductions.studies():
        for figure in read_figures(PUBLISHED, study):
            if figure.network:
                assert find(figure.protocol).name == figure.protocol


def test_an_unknown_protocol_lists_those_there_are():
    with pytest.raises(UsageError, match=r"'eleven crops' is not a protocol\..* Choose from: whole image, .*ten crops"):
        find("eleven crops")
    assert not find("144 crops, non-blacklisted").blacklisted
    assert find("144 crops").blacklisted


def test_file_names_of_protocols_are_different():
    slugs = {find(name + end).slug for name in PROTOCOLS for end in ("", protocols.NON_BLACKLISTED)}
    assert len(slugs) == 2 * len(PROTOCOLS)
