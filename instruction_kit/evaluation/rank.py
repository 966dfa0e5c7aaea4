"""Rank classification: pairs go in, each with the score of every candidate comes out.

The score of a candidate is the sum of the log-probabilities of its tokens and of the stop token after the prompt. The
stop token belongs to it, because without one a candidate that is the beginning of another ("no", "not sure") can never
score below it and is preferred for free. The highest score is the prediction. A pair of a task without options gives
the log-likelihood of its completion, which is the first reference, stop token included.

Nothing is cut: a pair with a candidate that does not fit the model or the layout is left out with its reason.
"""

from collections.abc import Callable, Sequence

import polars as pl
from transformers import PreTrainedModel

from instruction_kit.errors import EvaluationError
from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.figures import best_candidates
from instruction_kit.evaluation.room import room_of, too_long
from instruction_kit.evaluation.rows import finished
from instruction_kit.evaluation.score import ignore, log_likelihoods
from instruction_kit.token.conversation import Pair, pair_of
from instruction_kit.token.encoder import Encoded, Encoder, Misfit

Scores = list[list[float] | None]


def rank(
    model: PreTrainedModel,
    encoder: Encoder,
    pairs: pl.DataFrame,
    *,
    batch_size: int,
    advance: Callable[[int], None] = ignore,
) -> pl.DataFrame:
    """Score the candidates of pairs that are ranked, or the completions of those whose likelihood is asked for.

    `batch_size` counts sequences (a pair has one per candidate) and changes no score. `advance` is told how many
    sequences are done; there are `num_candidates(pairs)`.

    Raises:
        EvaluationError: right candidates are not among the candidates, or the model gives no numbers.

    """
    rows = _with_candidates(pairs)
    _check_gold(rows)
    encoded = _sequences(rows, encoder)
    room = room_of(model)
    dropped = [one.reason if isinstance(one, Misfit) else too_long(one, room) for one in encoded]
    sequences = [[] if isinstance(one, Misfit) else one for one in encoded]
    kept = [place for place, reason in enumerate(dropped) if reason is None]
    flat = [sequence for place in kept for sequence in sequences[place]]
    advance(num_candidates(pairs) - len(flat))
    found = iter(log_likelihoods(model, flat, batch_size=batch_size, advance=advance))
    scores: Scores = [None] * rows.height
    for place in kept:
        scores[place] = [next(found) for _ in sequences[place]]
    priors = _priors(model, encoder, rows, scores, batch_size=batch_size)
    return _finished(rows, sequences, scores, priors, dropped)


def num_candidates(pairs: pl.DataFrame) -> int:
    """Count the sequences that `rank` scores or leaves out for their length: the whole of its progress."""
    return int(_with_candidates(pairs)["candidates"].list.len().sum())


def _with_candidates(pairs: pl.DataFrame) -> pl.DataFrame:
    likelihood = pl.col("protocol") == "likelihood"
    return pairs.with_columns(
        candidates=pl.when(likelihood).then(pl.concat_list("completion")).otherwise("candidates"),
        gold=pl.when(likelihood).then(pl.lit([0], dtype=pl.List(pl.Int64))).otherwise("gold"),
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
    """Encode every candidate after its prompt."""
    wanted = list(dict.fromkeys([*encoder.columns, "candidates"]))
    of_rows = [
        [pair_of({**row, "completion": candidate}) for candidate in row["candidates"]]
        for row in rows.select(wanted).iter_rows(named=True)
    ]
    encoded = iter(encoder.encode([pair for pairs in of_rows for pair in pairs]))
    return [_scored([next(encoded) for _ in pairs]) for pairs in of_rows]


def _scored(encoded: Sequence[Encoded | Misfit]) -> list[Scored] | Misfit:
    """Take the candidates of one pair together: where the layout cannot take one of them, it takes none."""
    misfit = next((one for one in encoded if isinstance(one, Misfit)), None)
    if misfit is not None:
        return misfit
    return [Scored(tuple(one.prompt), tuple(one.completion)) for one in encoded if isinstance(one, Encoded)]


def _priors(
    model: PreTrainedModel, encoder: Encoder, rows: pl.DataFrame, scores: Scores, *, batch_size: int
) -> list[list[float] | None]:
    """Score the ranked candidates where nothing is asked, each text once."""
    ranked = [
        list(candidates) if found is not None and protocol == "rank" else None
        for candidates, protocol, found in zip(rows["candidates"], rows["protocol"], scores, strict=True)
    ]
    texts = sorted({text for candidates in ranked for text in candidates or ()})
    encoded = encoder.encode([Pair("", text) for text in texts])
    sequences = [
        Scored(tuple(one.prompt) or (encoder.stop_id,), tuple(one.completion))
        for one in encoded
        if isinstance(one, Encoded)
    ]
    if len(sequences) < len(texts):  # the layout has no empty question
        return [None] * rows.height
    known = dict(zip(texts, log_likelihoods(model, sequences, batch_size=batch_size), strict=True))
    return [None if candidates is None else [known[text] for text in candidates] for candidates in ranked]


def _finished(
    rows: pl.DataFrame,
    sequences: Sequence[Sequence[Scored]],
    scores: Scores,
    priors: Sequence[list[float] | None],
    dropped: Sequence[str | None],
) -> pl.DataFrame:
    num_tokens = [[len(sequence.completion) for sequence in of_pair] for of_pair in sequences]
    predictions = [None if found is None else best_candidates(found) for found in scores]
    return finished(
        rows.with_columns(
            scores=pl.Series(scores, dtype=pl.List(pl.Float64)),
            num_tokens=pl.Series(num_tokens, dtype=pl.List(pl.Int64)),
            priors=pl.Series(priors, dtype=pl.List(pl.Float64)),
            prediction=pl.Series(predictions, dtype=pl.List(pl.Int64)),
            dropped=pl.Series(dropped, dtype=pl.String),
        )
    )
