"""Measuring: a model, its tokenizer, its layout and pairs go in; the pairs with the score of every candidate come out.

Rank classification: the score of a candidate is the sum of the log-probabilities of its tokens and of the stop token
after the prompt. The stop token belongs to it, because without one a candidate that is the beginning of another ("no",
"not sure") can never score below it and is preferred for free. The highest score is the prediction. A pair of a task
without options gives the log-likelihood of its completion, which is the first reference, stop token included.

Prompt and candidate become tokens as in training, by the same encoder. Nothing is cut: a pair with a candidate that
does not fit the model or the layout is left out with its reason, and so are pairs that rank classification does not
cover.
"""

from collections.abc import Callable, Sequence

import polars as pl
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.figures import best_candidates
from instruction_kit.evaluation.report import MODEL
from instruction_kit.evaluation.rows import ROWS
from instruction_kit.evaluation.score import ignore, log_likelihoods, max_positions
from instruction_kit.token.conversation import pair_of
from instruction_kit.token.encode import encoder_of
from instruction_kit.token.encoder import Encoded, Encoder, Misfit
from instruction_kit.token.layout import Layout

INVERTED = "inverted templates train, they are never measured"
CHAIN_OF_THOUGHT = "a chain of thought is generated and read back, it has no candidates"
NO_CANDIDATES = "no candidates, where other pairs of the task have them"


def measure(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    layout: Layout,
    pairs: pl.DataFrame,
    *,
    batch_size: int,
    name: str = MODEL,
    advance: Callable[[int], None] = ignore,
) -> pl.DataFrame:
    """Score every pair that `read_pairs` gave; the result has the columns of `ROWS`, in the order of the pairs.

    `batch_size` counts sequences (a pair has one per candidate) and changes no score. `name` is written to the column
    `model`. `advance` is told how many sequences are done; there are `num_sequences(pairs)`.
    """
    rows = _with_candidates(pairs).with_columns(pl.lit(name).alias("model"))
    encoded = _sequences(rows, encoder_of(tokenizer, layout))
    bound = max_positions(model)
    dropped = [one.reason if isinstance(one, Misfit) else _too_long(one, bound) for one in encoded]
    rows = rows.with_columns(dropped=pl.coalesce("dropped", pl.Series(dropped, dtype=pl.String)))
    kept = [place for place, reason in enumerate(rows["dropped"]) if reason is None]
    sequences = [[] if isinstance(one, Misfit) else one for one in encoded]
    flat = [sequence for place in kept for sequence in sequences[place]]
    advance(num_sequences(pairs) - len(flat))
    found = iter(log_likelihoods(model, flat, batch_size=batch_size, advance=advance))
    scores: list[list[float] | None] = [None] * rows.height
    for place in kept:
        scores[place] = [next(found) for _ in sequences[place]]
    return _finished(rows, sequences, scores)


def num_sequences(pairs: pl.DataFrame) -> int:
    """Count the sequences that `measure` scores or leaves out for their length: the whole of its progress."""
    return int(_with_candidates(pairs).filter(pl.col("dropped").is_null())["candidates"].list.len().sum())


def _with_candidates(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add what is measured of each pair, and why it is not; a task with candidates anywhere is ranked everywhere."""
    has_candidates = pl.col("candidates").list.len() > 0
    ranked = (has_candidates & ~pl.col("inverted")).any().over("task")
    _check_gold(pairs.filter(has_candidates))
    return pairs.with_columns(
        measure=pl.when(ranked).then(pl.lit("accuracy")).otherwise(pl.lit("log_likelihood")),
        candidates=pl.when(ranked).then("candidates").otherwise(pl.concat_list("completion")),
        gold=pl.when(ranked).then("gold").otherwise(pl.lit([0], dtype=pl.List(pl.Int64))),
        dropped=pl.when("inverted")
        .then(pl.lit(INVERTED))
        .when(pl.col("setting").str.split(".").list.contains("cot"))
        .then(pl.lit(CHAIN_OF_THOUGHT))
        .when(ranked & ~has_candidates)
        .then(pl.lit(NO_CANDIDATES)),
    )


def _check_gold(pairs: pl.DataFrame) -> None:
    """Refuse pairs whose right candidates are not among their candidates."""
    wrong = pairs.filter(
        (pl.col("gold").list.len() == 0)
        | (pl.col("gold").list.min() < 0)
        | (pl.col("gold").list.max() >= pl.col("candidates").list.len())
    )
    if wrong.height:
        first = wrong.row(0, named=True)
        raise EvaluationError(
            f"{first['task']} {first['split']} row {first['row']} under {first['template']}: gold {first['gold']} does "
            f"not point into its {len(first['candidates'])} candidates ({wrong.height} such pairs); "
            "build the mixture again"
        )


def _sequences(rows: pl.DataFrame, encoder: Encoder) -> list[list[Scored] | Misfit]:
    """Encode every candidate after its prompt; a pair that is left out already has none."""
    wanted = [*encoder.columns, "candidates", "dropped"]
    of_rows = [
        [] if row["dropped"] else [pair_of({**row, "completion": candidate}) for candidate in row["candidates"]]
        for row in rows.select(list(dict.fromkeys(wanted))).iter_rows(named=True)
    ]
    encoded = iter(encoder.encode([pair for pairs in of_rows for pair in pairs]))
    return [_scored([next(encoded) for _ in pairs]) for pairs in of_rows]


def _scored(encoded: Sequence[Encoded | Misfit]) -> list[Scored] | Misfit:
    """Take the candidates of one pair together: where the layout cannot take one of them, it takes none."""
    misfit = next((one for one in encoded if isinstance(one, Misfit)), None)
    if misfit is not None:
        return misfit
    return [Scored(tuple(one.prompt), tuple(one.completion)) for one in encoded if isinstance(one, Encoded)]


def _too_long(sequences: list[Scored], bound: int | None) -> str | None:
    if bound is not None and any(sequence.num_inputs > bound for sequence in sequences):
        return f"longer than the model's {bound} positions"
    if any(not sequence.prompt for sequence in sequences):
        return "the prompt has no tokens"
    return None


def _finished(rows: pl.DataFrame, sequences: list[list[Scored]], scores: list[list[float] | None]) -> pl.DataFrame:
    num_tokens = [[len(sequence.completion) for sequence in of_pair] for of_pair in sequences]
    predictions = [None if found is None else best_candidates(found) for found in scores]
    return (
        rows.with_columns(
            scores=pl.Series(scores, dtype=pl.List(pl.Float64)),
            num_tokens=pl.Series(num_tokens, dtype=pl.List(pl.Int64)),
            prediction=pl.Series(predictions, dtype=pl.List(pl.Int64)),
        )
        .select(ROWS.names())
        .cast(ROWS)
    )
