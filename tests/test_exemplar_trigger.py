"""Triggers are data: each has words and a source, and none stands there twice."""

from instruction_kit.exemplar.trigger import ANSWERING, REASONING


def test_each_trigger_is_there_once_and_has_its_source():
    every = [*REASONING, *ANSWERING]
    assert len({trigger.text for trigger in every}) == len(every)
    assert all(trigger.text.strip() == trigger.text and trigger.text for trigger in every)
    assert {trigger.source.rpartition(" ")[2] for trigger in every} == {
        "https://arxiv.org/abs/2205.11916",
        "https://arxiv.org/abs/2211.01910",
    }
