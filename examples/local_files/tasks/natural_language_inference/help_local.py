"""HELP from TSV with quoted cells: does a sentence follow when a part of it is changed? https://aclanthology.org/S19-1027"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # The first column has no name, and counts from 0 in each file, so it is no key. A cell that holds quotes stands in
    # quotes, with its own doubled: the default, quoting="minimal".
    source=Files({"train": ["help_nli/leskexppmb_and.tsv", "help_nli/leskexppmb_or.tsv"]}),
    columns={
        "premise": text("ori_sentence"),
        "hypothesis": text("new_sentence"),
        "label": labels("gold_label", ["entailment", "neutral"]),
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell"},
    metrics=["accuracy"],
    license="cc-by-sa-4.0",
    families=["help", "tatoeba"],  # by way of the Parallel Meaning Bank
    languages=["en"],
    sizes={"train": 6_514},
)
