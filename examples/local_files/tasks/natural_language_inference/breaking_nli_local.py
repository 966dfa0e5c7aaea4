"""Breaking NLI from JSON Lines: what becomes of a caption when one word is changed? https://aclanthology.org/P18-2103"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    source=Files({"test": "breaking_nli/dataset.jsonl"}),
    columns={
        "premise": text("sentence1"),
        "hypothesis": text("sentence2"),
        "label": labels("gold_label", ["entailment", "neutral", "contradiction"]),
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    key="pairID",
    license="cc-by-sa-4.0",
    families=["breaking_nli", "snli", "flickr30k"],  # its first sentences are premises of SNLI
    sizes={"test": 8_193},
)
