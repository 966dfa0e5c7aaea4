"""Quotas: how many pairs each training task gives, and from how many of its rows.

In: a mixture and the rows that each task may draw from. Out: a `Quota` for each task. A number of pairs is divided by a
divisor method, because no other kind lets a new task only take: by largest remainders it can give another task a pair.
"""

import heapq
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from instruction_kit.errors import MixtureError
from instruction_kit.mixture.rate import FixedWeights, Rate, Stock
from instruction_kit.render.setting import parse_setting

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture
    from instruction_kit.mixture.part import Part


MAX_VALIDATION_SHARE = 5
"""Validation rows taken from train are at most one in so many, so that a small task still trains."""


@dataclass(frozen=True)
class Quota:
    """What one training task gives."""

    pool: int
    """Rows that may be drawn."""
    pairs: int
    each: int
    """Pairs of one use of a row; the last use may give fewer."""
    phrasings: int
    """Different phrasings that a use can have: fewer than `each` where the task has too few templates."""

    @property
    def uses(self) -> int:
        """Uses of rows."""
        return -(-self.pairs // self.each)

    @property
    def rounds(self) -> int:
        """How often the most used row is used; a phrasing that comes again is a further round."""
        return -(-self.uses // self.pool) * -(-self.each // self.phrasings) if self.pool else 0

    @property
    def rows(self) -> int:
        """Different rows that are used."""
        return min(self.uses, self.pool)


def num_phrasings(mixture: "Mixture", task: str) -> int:
    """Different phrasings of one round: `phrasings`, or as many as the task has templates for."""
    return min(mixture.part(task).phrasings, _num_templates(mixture, task))


def _num_templates(mixture: "Mixture", task: str) -> int:
    keys = [parse_setting(key) for key in mixture.part(task).settings]
    return len({t.name for key in keys for t in mixture.serving(task, key)})


def _bounded(mixture: "Mixture", task: str, rows: int) -> int:
    """Rows that may be drawn: up to the bounds on the task, and on each of its phrasings."""
    part = mixture.part(task)
    bounds = [rows, part.num_examples_per_task]
    if part.num_examples_per_phrasing is not None:
        bounds.append(part.num_examples_per_phrasing * _num_templates(mixture, task) // num_phrasings(mixture, task))
    return min(bounds)


def num_carved(mixture: "Mixture", task: str, rows: int) -> int:
    """Validation rows that are taken from train where the source has no validation split of its own.

    A fifth of train at most; and a quarter of the rows that the task can use, so that where some are not used anyway
    one more row never moves this number too.
    """
    usable = _usable(mixture, task) // (MAX_VALIDATION_SHARE - 1)
    return min(mixture.num_validation, rows // MAX_VALIDATION_SHARE, usable)


def _usable(mixture: "Mixture", task: str) -> int:
    """Rows that a task can use in one round, however many it has."""
    stock = Stock(_bounded(mixture, task, sys.maxsize), mixture.chosen[task].cluster)
    return stock.rows if mixture.total else int(mixture.rates.of({task: stock})[task])


def quotas(mixture: "Mixture", pools: Mapping[str, int], tokens: Mapping[str, float]) -> dict[str, Quota]:
    """Divide the mixture's pairs among the training tasks, whose drawable rows are `pools`.

    Where it is tokens that the mixture divides, `tokens` says how many a pair of each task is about to have.

    Raises:
        MixtureError: no task has rows, or tasks would be repeated more than `max_repeats` times.

    """
    if not pools:  # nothing trains
        return {}
    stocks = {name: Stock(_bounded(mixture, name, rows), mixture.chosen[name].cluster) for name, rows in pools.items()}
    if not any(stock.rows for stock in stocks.values()):
        raise MixtureError(
            "no training task has a row that can be used; see the rejections of each with: instruction-kit preview TASK"
        )
    made = _divided(mixture, stocks, tokens) if mixture.total else _one_pass(mixture, stocks)
    _check_repeats(mixture, made)
    return made


def _one_pass(mixture: "Mixture", stocks: Mapping[str, Stock]) -> dict[str, Quota]:
    """Each row once in `phrasings` phrasings; where a task has fewer they come again, so that its share stays."""
    rates = mixture.rates.of(stocks)
    rows = {name: min(stock.rows, int(rates[name])) for name, stock in stocks.items()}
    each = mixture.phrasings
    return {name: Quota(rows[name], rows[name] * each, each, num_phrasings(mixture, name)) for name in stocks}


def _divided(mixture: "Mixture", stocks: Mapping[str, Stock], tokens: Mapping[str, float]) -> dict[str, Quota]:
    numbers = _shared(mixture, mixture, "", mixture.total or 0, stocks)
    if mixture.num_tokens is not None:
        if lost := [name for name in stocks if not tokens.get(name)]:
            told = f"num_tokens: how long the pairs of {', '.join(lost)} are cannot be told before they are written"
            raise MixtureError(f"{told}; give num_pairs")
        # a task's tokens never depend on how long another's pairs are, so neither do its pairs
        numbers = {name: round(number / tokens[name]) for name, number in numbers.items()}
        if not any(numbers.values()):
            raise MixtureError(f"num_tokens: {mixture.num_tokens} give no task a pair; {_shortest(tokens, stocks)}")
    each = {name: num_phrasings(mixture, name) for name in stocks}
    return {name: Quota(stock.rows, numbers[name], each[name], each[name]) for name, stock in stocks.items()}


def _shortest(tokens: Mapping[str, float], stocks: Mapping[str, Stock]) -> str:
    name = min(sorted(stocks), key=tokens.__getitem__)
    return f"the shortest, of {name}, are of about {tokens[name]:.0f} tokens; raise num_tokens, or take tasks out"


def _shared(mixture: "Mixture", part: "Part", path: str, total: int, stocks: Mapping[str, Stock]) -> dict[str, int]:
    """Divide among the parts by their weights first, and what is a part's among its tasks then."""
    if part.parts:
        numbers = divided(total, {name: own.weight for name, own in part.parts.items()})
        found: dict[str, int] = {}
        for name, own in part.parts.items():
            found |= _shared(mixture, own, f"{path}.{name}" if path else name, numbers[name], stocks)
        return found
    mine = {name: stock for name, stock in stocks.items() if mixture.home(name) == path}
    rule = mixture.homes[path].rates
    groups = rule.groups(mine) if isinstance(rule, FixedWeights) else {name: name for name in mine}
    return divided_by_group(total, rule.of(mine), groups)


def _check_repeats(mixture: "Mixture", made: Mapping[str, Quota]) -> None:
    over = {name: quota.rounds for name, quota in made.items() if quota.rounds > mixture.max_repeats}
    if not over:
        return
    told = ", ".join(f"{name} {rounds} times" for name, rounds in sorted(over.items()))
    key = "num_pairs" if mixture.num_tokens is None else "num_tokens"
    what, mend = (
        (f"{key} {mixture.total}", f"lower {key}, raise max_repeats or phrasings")
        if mixture.total
        else (f"phrasings {mixture.phrasings}", "lower phrasings, write more templates for them, raise max_repeats")
    )
    raise MixtureError(
        f"{what} would use the rows of these tasks more than max_repeats {mixture.max_repeats} times: {told}; "
        f"{mend}, or take them out"
    )


def divided_by_group(total: int, rates: Mapping[str, Rate], groups: Mapping[str, str]) -> dict[str, int]:
    """Divide among the groups, then each group's number among its tasks, so that what happens in one moves no other.

    >>> divided_by_group(10, {"a": 1, "b": 1, "c": 2}, {"a": "x", "b": "x", "c": "y"})
    {'a': 3, 'b': 2, 'c': 5}
    """
    inside: dict[str, dict[str, Rate]] = {}
    for name, group in groups.items():
        inside.setdefault(group, {})[name] = rates[name]
    weights = {group: sum((Fraction(rate) for rate in own.values()), Fraction(0)) for group, own in inside.items()}
    numbers = divided(total, weights)
    found = {name: count for group, own in inside.items() for name, count in divided(numbers[group], own).items()}
    return {name: found[name] for name in rates}


def divided(total: int, rates: Mapping[str, Rate]) -> dict[str, int]:
    """Divide a whole number in proportion to rates by the method of Webster and Sainte-Laguë
    (https://en.wikipedia.org/wiki/Sainte-Lagu%C3%AB_method).

    Pair after pair goes to the task with the largest rate / (2 pairs + 1), of equal ones to the first by name. So a new
    task, or a smaller total, never gives any other task a pair more. What each task gets is its rate divided by one
    number that is common to all, rounded; it is off the exact share by at most 1/2 + share * (tasks - 2) / 2.

    >>> divided(10, {"a": 1, "b": 1, "c": 1})
    {'a': 4, 'b': 3, 'c': 3}
    """
    exact = {name: Fraction(rate) for name, rate in sorted(rates.items())}
    whole = sum(exact.values()) or Fraction(1)  # of nothing, where no task has a rate
    counts = {name: int(total * rate / whole + Fraction(1, 2)) for name, rate in exact.items()}
    spare = total - sum(counts.values())
    step = 1 if spare > 0 else -1  # rounding each share leaves some pairs, or gives too many

    def turn(place: int, name: str) -> tuple[Fraction | float, int, str]:
        never = step < 0 and not counts[name]
        return (math.inf if never else -step * exact[name] / (2 * counts[name] + step), step * place, name)

    turns = [turn(place, name) for place, name in enumerate(exact)]
    heapq.heapify(turns)
    for _ in range(abs(spare)):
        _, place, name = turns[0]
        counts[name] += step
        heapq.heapreplace(turns, turn(step * place, name))
    return {name: counts[name] for name in rates}
