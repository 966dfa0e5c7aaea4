"""ANLI, round 2: does a passage of Wikipedia entail a sentence that misleads a stronger model? Nie et al. 2020, https://aclanthology.org/2020.acl-main.441"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # One config holds all three rounds; a round is a split of its own, and `dev` is what others call validation.
    source=Hub(
        "facebook/anli",
        config="plain_text",
        revision="main",
        splits={"train": "train_r2", "validation": "dev_r2", "test": "test_r2"},
    ),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
    },  # `reason`, where it is filled, tells how the model was misled rather than why the label is right
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    metrics=["accuracy"],
    license="cc-by-nc-4.0",
    families=["anli", "hotpotqa"],  # its passages are those of HotpotQA
    languages=["en"],
    sizes={"train": 45_460, "validation": 1_000, "test": 1_000},
)
