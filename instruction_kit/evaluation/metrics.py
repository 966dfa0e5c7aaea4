"""The metrics that tasks name: answers and right answers go in, sums that a figure follows from come out.

One shape serves all of them: each row gives a few numbers, and the figure is a function of their sums over rows. So a
mean over rows, corpus BLEU and a correlation are resampled alike. The libraries are those of the extra `metrics`; they
load when a metric that needs them is asked for.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from instruction_kit.errors import EvaluationError, MissingExtraError, nearest

Sums = npt.NDArray[np.float64]
"""(..., numbers): what rows add up to."""
Answers = Sequence[str | None]
"""What was read back from each row's output; None where there is no answer."""
Rights = Sequence[Sequence[str]]
"""The right answers of each row, one or more."""
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
NO_NUMBER = -1.0
"""What an answer without a number counts as in a correlation; `string_to_float` of T5, t5/data/postprocessors.py,
https://github.com/google-research/text-to-text-transfer-transformer."""


class Metric(NamedTuple):
    """How one figure follows from rows."""

    rows: Callable[[Answers, Rights], Sums]
    """(rows, numbers)"""
    figure: Callable[[Sums], Sums]
    """(..., numbers) -> (...)"""
    title: str
    unit: Literal["percent", "number"] = "percent"
    lower_is_better: bool = False


def metric(name: str) -> Metric:
    """Look a metric up by the name that task files give it.

    Raises:
        EvaluationError: there is none of that name.
        MissingExtraError: its library is not installed.

    """
    if name not in METRICS:
        raise EvaluationError(f"metric {name}: there is none of that name; {nearest(name, METRICS)}")
    for package in NEEDS.get(name, ()):
        if find_spec(package) is None:
            raise MissingExtraError(f"the metric {name}", extra="metrics")
    return METRICS[name]


def compute(name: str, answers: Answers, rights: Rights) -> float:
    """Compute one figure over rows.

    >>> compute("exact_match", ["The cat.", None], [["cat"], ["dog"]])
    0.5
    """
    of = metric(name)
    return float(of.figure(of.rows(answers, rights).sum(axis=0)))


# --- means over rows --------------------------------------------------------------------------------------------------


def mean(sums: Sums) -> Sums:
    """Divide what rows add up to by their number; no rows, no figure."""
    return _ratio(sums[..., 0], sums[..., 1], none=np.nan)


def _ratio(above: Sums, below: Sums, *, none: float) -> Sums:
    """Divide where there is something to divide by."""
    found: Sums = np.divide(above, below, out=np.full(np.shape(above), none), where=below > 0)
    return found


def _best(score: Callable[[str, str], float], *, worst: float = 0.0) -> Callable[[Answers, Rights], Sums]:
    """Score each answer against the right one that it does best at; no answer is the worst answer."""
    best = max if worst == 0.0 else min

    def rows(answers: Answers, rights: Rights) -> Sums:
        values = [
            worst if answer is None else best(score(answer, right) for right in of)
            for answer, of in zip(answers, rights, strict=True)
        ]
        return np.column_stack([values, np.ones(len(values))]).astype(np.float64)

    return rows


def _same(answer: str, right: str) -> float:
    return float(" ".join(answer.casefold().split()) == " ".join(right.casefold().split()))


def plain(text: str) -> str:
    """Lower the case, and leave out punctuation, articles and extra blanks.

    The normalisation of SQuAD's official script, Rajpurkar et al. 2016, https://aclanthology.org/D16-1264

    >>> plain("  The U.S. army ")
    'us army'
    """
    kept = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def _exact(answer: str, right: str) -> float:
    return float(plain(answer) == plain(right))


def token_f1(answer: str, right: str) -> float:
    """Harmonic mean of precision and recall over words; Rajpurkar et al. 2016, https://aclanthology.org/D16-1264.

    >>> token_f1("a small red house", "the red house")
    0.8
    """
    said, wanted = plain(answer).split(), plain(right).split()
    if not said or not wanted:
        return float(said == wanted)
    common = (Counter(said) & Counter(wanted)).total()
    return 2 * common / (len(said) + len(wanted)) if common else 0.0


def _rouge(kind: str) -> Callable[[str, str], float]:
    """F1 of rouge_score with stemming, as FLAN measured; Lin 2004, https://aclanthology.org/W04-1013."""

    @cache
    def scorer() -> Any:
        from rouge_score.rouge_scorer import RougeScorer

        return RougeScorer([kind], use_stemmer=True, split_summaries=False)

    return lambda answer, right: float(scorer().score(right, answer)[kind].fmeasure)


def _edit_distance(answer: str, right: str) -> float:
    """Levenshtein distance as a share of the longer text: 0 for the same, 1 for nothing in common."""
    from rapidfuzz.distance import Levenshtein

    return float(Levenshtein.normalized_distance(answer, right))


# --- figures of a corpus ----------------------------------------------------------------------------------------------


def _bleu_rows(answers: Answers, rights: Rights) -> Sums:
    from sacrebleu.metrics.bleu import BLEU

    scorer = BLEU(effective_order=True)  # of a sentence; the counts are those of any order
    scores = [scorer.sentence_score(a or "", list(of)) for a, of in zip(answers, rights, strict=True)]
    return np.array([[s.sys_len, s.ref_len, *s.counts, *s.totals] for s in scores], dtype=np.float64)


def _bleu(sums: Sums) -> Sums:
    """Papineni et al. 2002, https://aclanthology.org/P02-1040; Post 2018, https://aclanthology.org/W18-6319."""
    from sacrebleu.metrics.bleu import BLEU

    def one(row: Sums) -> float:
        half = 2 + (len(row) - 2) // 2
        told = BLEU.compute_bleu(
            correct=list(row[2:half]),
            total=list(row[half:]),
            sys_len=int(row[0]),
            ref_len=int(row[1]),
            smooth_method="exp",
        )
        return float(told.score) / 100

    return np.apply_along_axis(one, -1, sums)


def _chrf_rows(answers: Answers, rights: Rights) -> Sums:
    from sacrebleu.metrics.chrf import CHRF

    # The counts of a sentence are not public; tests hold them against corpus_score of the installed release.
    found = [
        CHRF()._extract_corpus_statistics([a or ""], [[right] for right in of])[0]  # noqa: SLF001
        for a, of in zip(answers, rights, strict=True)
    ]
    return np.array(found, dtype=np.float64)


def _chrf(sums: Sums) -> Sums:
    """Popović 2015, https://aclanthology.org/W15-3049."""
    from sacrebleu.metrics.chrf import CHRF

    scorer = CHRF()
    return np.apply_along_axis(lambda row: scorer._compute_f_score(list(row)) / 100, -1, sums)  # noqa: SLF001


def _mcc_rows(answers: Answers, rights: Rights) -> Sums:
    """One-hot classes that were said and that are right; an answer that is no class is a class of its own."""
    names = sorted({plain(of[0]) for of in rights})
    said = np.zeros((len(answers), len(names) + 1))
    right = np.zeros_like(said)
    for number, (answer, of) in enumerate(zip(answers, rights, strict=True)):
        word = plain(answer or "")
        said[number, names.index(word) if word in names else len(names)] = 1
        right[number, names.index(plain(of[0]))] = 1
    both = (said * right).sum(axis=1, keepdims=True)
    return np.hstack([np.ones_like(both), both, said, right])


def _mcc(sums: Sums) -> Sums:
    """Correlation of any number of classes; Gorodkin 2004, https://doi.org/10.1016/j.compbiolchem.2004.09.006."""
    total, right = sums[..., 0], sums[..., 1]
    said, wanted = np.split(sums[..., 2:], 2, axis=-1)
    cross = (said * wanted).sum(axis=-1)
    spread = (total**2 - (said**2).sum(axis=-1)) * (total**2 - (wanted**2).sum(axis=-1))
    return _ratio(right * total - cross, np.sqrt(np.maximum(spread, 0)), none=0.0)


def _number(text: str | None) -> float:
    found = NUMBER.search(text or "")
    return float(found[0]) if found else NO_NUMBER


def _moments(x: Sums, y: Sums) -> Sums:
    return np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])


def _pearson_rows(answers: Answers, rights: Rights) -> Sums:
    return _moments(np.array([_number(a) for a in answers]), np.array([_number(of[0]) for of in rights]))


def _spearman_rows(answers: Answers, rights: Rights) -> Sums:
    """Ranks over all rows; a resampled figure keeps them."""
    said, right = [_number(a) for a in answers], [_number(of[0]) for of in rights]
    return _moments(_ranks(np.array(said)), _ranks(np.array(right)))


def _ranks(values: Sums) -> Sums:
    """Ranks from 1; equal values share the middle of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((2 * ends - counts + 1) / 2)[inverse].astype(np.float64)


def _correlation(sums: Sums) -> Sums:
    """Pearson's correlation from moments; 0 where one side does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = (n * xx - x * x) * (n * yy - y * y)
    rounding = 1e-12 * np.maximum(n * xx, 1) * np.maximum(n * yy, 1)
    return _ratio(n * xy - x * y, np.sqrt(np.where(spread > rounding, spread, 0)), none=0.0)


METRICS: dict[str, Metric] = {
    "accuracy": Metric(_best(_same), mean, "Accuracy"),
    "exact_match": Metric(_best(_exact), mean, "Exact match"),
    "f1": Metric(_best(token_f1), mean, "Token F1"),
    "rouge1": Metric(_best(_rouge("rouge1")), mean, "ROUGE-1"),
    "rouge2": Metric(_best(_rouge("rouge2")), mean, "ROUGE-2"),
    "rougeL": Metric(_best(_rouge("rougeL")), mean, "ROUGE-L"),
    "rougeLsum": Metric(_best(_rouge("rougeLsum")), mean, "ROUGE-Lsum"),
    "bleu": Metric(_bleu_rows, _bleu, "BLEU"),
    "chrf": Metric(_chrf_rows, _chrf, "chrF"),
    "edit_distance": Metric(_best(_edit_distance, worst=1.0), mean, "Edit distance", lower_is_better=True),
    "mcc": Metric(_mcc_rows, _mcc, "Matthews correlation", "number"),
    "pearson": Metric(_pearson_rows, _correlation, "Pearson correlation", "number"),
    "spearman": Metric(_spearman_rows, _correlation, "Spearman correlation", "number"),
}
NEEDS = {
    **dict.fromkeys(("rouge1", "rouge2", "rougeL", "rougeLsum"), ("rouge_score",)),
    **dict.fromkeys(("bleu", "chrf"), ("sacrebleu",)),
    "edit_distance": ("rapidfuzz",),
}
"""Metric -> packages of the extra `metrics`."""
