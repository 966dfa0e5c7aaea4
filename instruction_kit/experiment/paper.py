"""What the papers report of the four checks, as data with its sources; nothing here is a figure of this kit.

A claim says which of two arms is to be the better one, by which measure. Its numbers are those of the paper, measured
on other tasks with models of other sizes: what can be compared is the direction.
"""

from typing import Literal, NamedTuple

from instruction_kit.evaluation.report import Kind

BEFORE = "before"
"""The model before tuning, where a claim compares an arm with it."""
FLAN = "Wei et al. 2022, https://arxiv.org/abs/2109.01652"
FLAN_2022 = "Longpre et al. 2023, https://arxiv.org/abs/2301.13688"
FLAN_PALM = "Chung et al. 2022, https://arxiv.org/abs/2210.11416"

MEASURES = {
    "zero_shot": Kind("rank", "zero_shot", "accuracy"),
    "few_shot": Kind("rank", "few_shot", "accuracy"),
    "chain_of_thought": Kind("zero_shot_chain_of_thought", "zero_shot", "accuracy"),
}
"""What held-out clusters are measured by."""
TITLES = {"zero_shot": "zero-shot", "few_shot": "few-shot", "chain_of_thought": "chain of thought"}


class Claim(NamedTuple):
    """One arm is better, or worse, than another."""

    arm: str
    against: str
    measure: str
    direction: Literal["higher", "lower"]
    paper: str
    """What the paper measured, in its own numbers."""
    source: str


class Published(NamedTuple):
    """The figures of a paper that stand beside ours: measure -> arm -> percent."""

    what: str
    source: str
    figures: dict[str, dict[str, float]]


PUBLISHED = {
    "clusters": Published(
        "LaMDA-PT 137B, zero-shot, mean of held-out inference, closed-book QA and commonsense",
        f"{FLAN}, figure 6",
        {"zero_shot": {"1": 49.9, "2": 55.0, "3": 59.3, "4": 59.2, "5": 60.8, "6": 61.9, "7": 63.5}},
    ),
    "templates": Published(
        "LaMDA-PT 137B, zero-shot, mean of four held-out clusters",
        f"{FLAN}, appendix B.2, table 3",
        {"zero_shot": {"templates": 55.2, "fields": 37.3, "name": 46.6, "name_measured_so": 47.0}},
    ),
    "few_shot": Published(
        "T5-XL, MMLU without and with exemplars; its full mixture stands at one half",
        f"{FLAN_2022}, table 1",
        {"zero_shot": {"0": 47.3, "0.5": 50.3}, "few_shot": {"0": 38.7, "0.5": 52.4}},
    ),
    "chain_of_thought": Published(
        "T5-XL, zero-shot, MMLU and chain-of-thought tasks",
        f"{FLAN_2022}, table 1",
        {"zero_shot": {"without": 47.5, "with": 50.3}, "chain_of_thought": {"without": 28.8, "with": 35.8}},
    ),
}

CLAIMS = {
    "clusters": (Claim("last", "first", "zero_shot", "higher", "49.9 -> 63.5", f"{FLAN}, figure 6"),),
    "templates": (
        Claim("templates", "fields", "zero_shot", "higher", "37.3 -> 55.2", f"{FLAN}, appendix B.2"),
        Claim("templates", "name", "zero_shot", "higher", "46.6 -> 55.2", f"{FLAN}, appendix B.2"),
    ),
    "few_shot": (
        Claim("0.5", "0", "zero_shot", "higher", "MMLU 47.3 -> 50.3", f"{FLAN_2022}, table 1"),
        Claim("0.5", "0", "few_shot", "higher", "MMLU 38.7 -> 52.4", f"{FLAN_2022}, table 1"),
        Claim("0.05", "0", "zero_shot", "higher", "5 % few-shot already helps", f"{FLAN_2022}, section 3.2"),
        Claim("0.5", "1", "few_shot", "higher", "best between 10 % and 90 %", f"{FLAN_2022}, section 3.2"),
    ),
    "chain_of_thought": (
        Claim("with", "without", "zero_shot", "higher", "MMLU 47.5 -> 50.3", f"{FLAN_2022}, table 1"),
        Claim("with", "without", "chain_of_thought", "higher", "28.8 -> 35.8", f"{FLAN_2022}, table 1"),
        Claim("without", BEFORE, "chain_of_thought", "lower", "below the untuned model", f"{FLAN_PALM}, section 4.2"),
        Claim("only", BEFORE, "zero_shot", "lower", "62B, MMLU 55.1 -> 48.5", f"{FLAN_PALM}, section 4.2"),
    ),
}
"""`first` and `last` are the first and the last arm of a check."""
