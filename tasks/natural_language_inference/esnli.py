"""e-SNLI: does one caption entail another, and why? Camburu et al. 2018, https://arxiv.org/abs/1812.01193"""

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import NaturalLanguageInference

task = Task(
    schema=NaturalLanguageInference,
    # On main there is a loading script alone; the branch of converted files has no configs, but a folder for each.
    source=Hub(
        "esnli/esnli",
        revision="refs/convert/parquet",
        data_dir="plain_text",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "premise": text("premise"),
        "hypothesis": text("hypothesis"),
        "label": labels("label", ["entailment", "neutral", "contradiction"]),
        "rationale": text("explanation_1"),  # the other two are empty in train
    },
    answers={"entailment": "yes", "neutral": "it is not possible to tell", "contradiction": "no"},
    metrics=["accuracy"],
    license="unknown",
    families=["esnli", "snli", "flickr30k"],
    languages=["en"],
    sizes={"train": 549_367, "validation": 9_842, "test": 9_824},
)
