"""SICK from tab-separated .txt: does one sentence entail another? https://aclanthology.org/L14-1314"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Files(
        {"train": "sick/SICK_train.txt", "validation": "sick/SICK_trial.txt", "test": "sick/SICK_test_annotated.txt"},
        format="tsv",  # the suffix .txt would mean plain lines
    ),
    columns={
        "premise": text("sentence_A"),
        "hypothesis": text("sentence_B"),
        "label": labels(
            "entailment_judgment", {"ENTAILMENT": "entailment", "NEUTRAL": "neutral", "CONTRADICTION": "contradiction"}
        ),
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    key="pair_ID",
    metrics=["accuracy"],
    license="cc-by-nc-sa-3.0",
    families=["sick"],
    languages=["en"],
    sizes={"train": 4_500, "validation": 500, "test": 4_927},
)
