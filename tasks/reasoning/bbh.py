"""BIG-Bench Hard: what is the answer to a task that needs several steps? Suzgun et al. 2022, https://arxiv.org/abs/2210.09261"""

import polars as pl

from instruction_kit import Hub, Task, text
from instruction_kit.schema import OpenInstruction

LETTER = "Answer with the letter of the option, in brackets."
ORDER = f"Work out the order of the things from what is said about them. {LETTER}"
SWAPS = f"Follow the swaps and say who or what is where at the end. {LETTER}"

ASKED = {
    "boolean_expressions": "Evaluate the Boolean expression. Answer True or False.",
    "causal_judgement": "How would most people judge what caused what in this story? Answer Yes or No.",
    "date_understanding": f"Find the date that is asked for. {LETTER}",
    "disambiguation_qa": f"Say for whom the pronoun stands, or that it could be either. {LETTER}",
    "dyck_languages": "Close all brackets that are open, in the right order. Answer with the closing brackets alone.",
    "formal_fallacies": "Does the conclusion follow from the premises by logic alone? Answer valid or invalid.",
    "geometric_shapes": f"Name the shape that the SVG path draws. {LETTER}",
    "hyperbaton": f"Pick the sentence whose adjectives stand in the usual order. {LETTER}",
    "logical_deduction_five_objects": ORDER,
    "logical_deduction_seven_objects": ORDER,
    "logical_deduction_three_objects": ORDER,
    "movie_recommendation": f"Pick the film that somebody who likes these would like too. {LETTER}",
    "multistep_arithmetic_two": "Compute the value. Answer with the number alone.",
    "navigate": "Do these steps lead back to the start? Answer Yes or No.",
    "object_counting": "Count what is asked for. Answer with the number alone.",
    "penguins_in_a_table": f"Answer from the table and from what is said about changes to it. {LETTER}",
    "reasoning_about_colored_objects": f"Answer from what is said about the things and their colours. {LETTER}",
    "ruin_names": f"Pick the change of a name that makes a joke of it. {LETTER}",
    "salient_translation_error_detection": f"Say of what kind the mistake in the translation is. {LETTER}",
    "snarks": f"Pick the statement that is meant sarcastically. {LETTER}",
    "sports_understanding": "Is it plausible that this happens in sports? Answer yes or no.",
    "temporal_sequences": f"Find the time in which it can have happened. {LETTER}",
    "tracking_shuffled_objects_five_objects": SWAPS,
    "tracking_shuffled_objects_seven_objects": SWAPS,
    "tracking_shuffled_objects_three_objects": SWAPS,
    "web_of_lies": "Work out whether the last person tells the truth. Answer Yes or No.",
    "word_sorting": "Put the words into alphabetical order. Answer with the words, a blank between them.",
}
"""Config -> what is asked, in our own words: the inputs of some configs do not say it."""

task = Task(
    schema=OpenInstruction,
    # Test alone: never trained on.
    source=Hub("SaylorTwift/bbh", configs=list(ASKED), revision="main", splits={"test": "test"}),
    columns={
        "instruction": pl.col("config").replace_strict(ASKED, default=None, return_dtype=pl.String),
        "input": text("input"),
        "output": text("target"),
    },
    prompts={"config": "file", "input": "question", "target": "answer"},  # as in cot-prompts/ of the paper's repository
    metrics=["exact_match"],
    license="mit",
    families=["bbh"],
    languages=["en"],
    sizes={"test": 6_511},
)
