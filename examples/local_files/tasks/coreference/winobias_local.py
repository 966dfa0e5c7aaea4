"""WinoBias, a numbered sentence a line: whom does the pronoun in brackets mean? https://aclanthology.org/N18-2003"""

import polars as pl

from instruction_kit import Files, Task, position, text
from instruction_kit.schema import Coreference

KINDS = [f"winobias/{side}_stereotyped_type{number}.txt" for side in ("pro", "anti") for number in (1, 2)]

# Such as: 27 [The developer] visited the hairdresser because [she] needed to cut [her] hair.
parts = pl.col("line").str.extract_groups(r"^\d+ ([^\[]*)\[([^\]]*)\]([^\[]*)(\[[^\]]*\])(.*)$").struct
person = pl.format("the {}", parts["2"].str.to_lowercase().str.replace(r"^(the|an?) ", ""))


def paired(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Lines come in twos about the same two people, and each marks another of them."""
    two = person.unique(maintain_order=True).implode().over("_file", pl.col("_index") // 2)
    return lines.with_columns(person=person, two=two)


task = Task(
    schema=Coreference,
    source=Files(
        {"train": [f"{name}.dev" for name in KINDS], "test": [f"{name}.test" for name in KINDS]}, format="lines"
    ),
    rows=paired,
    scope="split",
    columns={
        # The brackets of the pronoun stay; those of a third mention, in 87 lines, go as those of the person do.
        "text": text(
            pl.concat_str(parts["1"], parts["2"], parts["3"], parts["4"], parts["5"].str.replace_all(r"[\[\]]", ""))
        ),
        "mention": parts["4"],
        "options": "two",  # one alone where both lines mark the same person
        "answer": position("person", within="two"),
    },
    license="mit",
    families=["winobias"],
    sizes={"train": 1_584, "test": 1_584},
)
