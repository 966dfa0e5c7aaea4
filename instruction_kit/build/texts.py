"""The texts of accepted examples, as they can be compared.

In: the examples of a scan, as it wrote them; no template has touched them. Out: a column of text for each field that
holds some, and which fields answer.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from instruction_kit.build.rowid import HASH, ROW
from instruction_kit.schema.field import Choice
from instruction_kit.schema.schema import Schema
from instruction_kit.template.language import RATIONALE

BATCH_ROWS = 20_000


def batches(examples: Path) -> Iterator[pl.DataFrame]:
    """The examples of one scan, so many at a time that memory stays flat."""
    with pq.ParquetFile(examples) as file:
        for batch in file.iter_batches(BATCH_ROWS):
            yield pl.DataFrame(pl.from_arrow(batch))


def texts(examples: pl.DataFrame, schema: type[Schema]) -> pl.DataFrame:
    """Each field that holds text, a list of texts as one; a field that is null is empty, a choice the chosen option."""
    target = schema.target
    if isinstance(target, Choice):
        chosen = pl.col(target.options).list.get(pl.col(target.answer), null_on_oob=True)
        examples = examples.with_columns(chosen.alias(target.answer))
    kept = [name for name, dtype in examples.schema.items() if name not in (ROW, HASH) and _has_text(dtype)]
    return examples.select(_as_text(name, examples.schema[name]).fill_null("") for name in kept)


def squeezed(text: pl.Expr) -> pl.Expr:
    r"""Whatever its case and blanks; punctuation stays, since a sign can be all that two answers differ in.

    >>> pl.DataFrame({"t": ["It's\n\n ALL  right! "]}).select(squeezed(pl.col("t"))).item()
    "it's all right!"
    """
    return text.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _has_text(dtype: pl.DataType) -> bool:
    return dtype in (pl.String(), pl.List(pl.String())) or _is_turns(dtype)


def _is_turns(dtype: pl.DataType) -> bool:
    return dtype == pl.List(pl.Struct({"role": pl.String, "content": pl.String}))


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.String:
        return pl.col(name)
    items = pl.col(name).list.eval(pl.element().struct.field("content")) if _is_turns(dtype) else pl.col(name)
    return items.list.join(" ")


def answer_fields(schema: type[Schema]) -> frozenset[str]:
    """Fields that answer; the options of a choice are part of its question."""
    return frozenset({RATIONALE, answer_field(schema)})


def option_fields(schema: type[Schema]) -> frozenset[str]:
    """Fields that hold what may be answered: a question may be another where they are the same."""
    target = schema.target
    return frozenset({target.options}) if isinstance(target, Choice) else frozenset()


def answer_field(schema: type[Schema]) -> str:
    """The field that holds what is asked for."""
    target = schema.target
    return target.answer if isinstance(target, Choice) else target.field
