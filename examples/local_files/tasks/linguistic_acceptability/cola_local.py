"""CoLA from TSV without a header: would a native speaker accept the sentence? https://arxiv.org/abs/1805.12471"""

from instruction_kit import Files, Task, labels, text
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files(
        {"train": "cola/in_domain_train.tsv", "validation": ["cola/in_domain_dev.tsv", "cola/out_of_domain_dev.tsv"]},
        header=False,
        columns=["source", "label", "mark", "sentence"],  # the mark of the author is an empty cell in most rows
        quoting="none",
    ),
    columns={"text": text("sentence"), "label": labels("label", {"0": "unacceptable", "1": "acceptable"})},
    metrics=["accuracy"],
    license="unknown",
    families=["cola"],
    languages=["en"],
    sizes={"train": 8_551, "validation": 1_043},
)
