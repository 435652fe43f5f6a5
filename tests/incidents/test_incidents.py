"""The five incidents in their short form: without Tidegate each fails as it was reported, with it none does."""
import pytest
from replay import NUMBERS, incident, play

from harness.servers import Unavailable


@pytest.mark.parametrize("number", NUMBERS)
def test_the_incident_happens_without_and_does_not_with(number):
    story, records = incident(number), {}
    try:
        for mode in story.MODES:
            records[mode] = play(story, mode, "short").as_json()
            said = {key: records[mode][key] for key in ("done", "errors", "peak", "limit", "first_message", "notes")}
            print(f"{story.TITLE}, {story.WAYS[mode]}: {said}")
    except Unavailable as reason:
        pytest.skip(f"INCIDENT {number} IS NOT REPLAYED: {reason}")
    story.check(records)
