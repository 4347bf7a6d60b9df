"""Every healthy event file of the corpus of real logs, against the reference reader."""

import pytest

from tests.event_files import bits, read, reference, triples
from tests.test_corpus import CORPUS, TRUTH

EVENT_FILES = [entry for entry in TRUTH.values() if entry["kind"] == "tfevents"]


@pytest.mark.parametrize("entry", EVENT_FILES, ids=[entry["id"] for entry in EVENT_FILES])
def test_it_reads_what_the_reference_reader_reads(entry):
    path = CORPUS / entry["file"]
    series, _ = read(path)
    assert {tag: bits(triples(item)) for tag, item in series.items()} == {
        t: bits(p) for t, p in reference(path).items()
    }
