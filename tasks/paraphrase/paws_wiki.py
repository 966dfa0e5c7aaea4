"""PAWS-Wiki: do two sentences of much the same words say the same? Zhang et al. 2019, https://aclanthology.org/N19-1131"""

import polars as pl

from instruction_kit import Hub, Task, labels, text
from instruction_kit.schema import Paraphrase


def sentence(column: str) -> pl.Expr:
    """Quotes as everybody writes them; the blanks that set words apart stay."""
    return text(pl.col(column).str.replace_all("``|''", '"'))


task = Task(
    schema=Paraphrase,
    # `labeled_final` was judged by people; of the others one has train alone, and one labels that nobody looked at.
    source=Hub(
        "google-research-datasets/paws",
        config="labeled_final",
        revision="main",
        splits={"train": "train", "validation": "validation", "test": "test"},
    ),
    columns={
        "sentence1": sentence("sentence1"),
        "sentence2": sentence("sentence2"),
        "label": labels("label", ["not_paraphrase", "paraphrase"], names=["0", "1"]),
    },
    answers={"not_paraphrase": "no", "paraphrase": "yes"},
    metrics=["accuracy"],
    license="other",
    families=["paws"],
    languages=["en"],
    sizes={"train": 49_401, "validation": 8_000, "test": 8_000},
)
