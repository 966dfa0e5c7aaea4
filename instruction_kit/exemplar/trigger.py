"""Zero-shot chain-of-thought triggers: words that a model goes on from with reasons, each with its source.

In: nothing. Out: tuples, in each paper's own order, for whoever lets a model generate. No template has them: they stand
on the model's side of a prompt.
"""

from typing import NamedTuple

KOJIMA = "Kojima et al. 2022, section 4.1, https://arxiv.org/abs/2205.11916"
KOJIMA_STAGES = "Kojima et al. 2022, section 3.1, https://arxiv.org/abs/2205.11916"
APE = "Zhou et al. 2022, on zero-shot chain of thought, https://arxiv.org/abs/2211.01910"


class Trigger(NamedTuple):
    """Words that a model goes on from, and who tried them."""

    text: str
    source: str


REASONING: tuple[Trigger, ...] = (
    Trigger("Let's think step by step.", KOJIMA),
    Trigger("First,", KOJIMA),
    Trigger("Let's think about this logically.", KOJIMA),
    Trigger("Let's solve this problem by splitting it into steps.", KOJIMA),
    Trigger("Let's be realistic and think step by step.", KOJIMA),
    Trigger("Let's think like a detective step by step.", KOJIMA),
    Trigger("Let's think", KOJIMA),
    Trigger("Before we dive into the answer,", KOJIMA),
    Trigger("The answer is after the proof.", KOJIMA),
    Trigger("Let's work this out in a step by step way to be sure we have the right answer.", APE),
)
"""Begin the reasons; those that were made to mislead are not among them."""

ANSWERING: tuple[Trigger, ...] = (
    Trigger("Therefore, the answer is", KOJIMA_STAGES),
    Trigger("Therefore, the answer (arabic numerals) is", KOJIMA_STAGES),
)
"""Begin the answer, behind the reasons."""
