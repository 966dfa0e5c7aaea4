"""Generated answers: pairs go in, each with what the model wrote and what its template reads back of it comes out.

A pair is asked as in training; what stands behind the template's marker is the answer. Of several samples the commonest
answer counts, the first to be said of equally common ones: self-consistency, Wang et al. 2023,
https://arxiv.org/abs/2203.11171. An output from which nothing can be read has no answer, and counts as wrong. Where
options are listed with marks, the mark and the words are the same answer.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import polars as pl
from transformers import PreTrainedModel

from instruction_kit.evaluation.generate import Generation, generate
from instruction_kit.evaluation.metrics import plain
from instruction_kit.evaluation.room import no_room, room_of
from instruction_kit.evaluation.rows import finished
from instruction_kit.evaluation.score import ignore
from instruction_kit.evaluation.trunk import Tokens
from instruction_kit.template.style import STYLES, answers, items
from instruction_kit.template.template import Place
from instruction_kit.token.conversation import pair_of
from instruction_kit.token.encoder import Encoded, Encoder

NAME = ("task", "template", "setting", "split", "row")


def answer(
    model: PreTrainedModel,
    encoder: Encoder,
    pairs: pl.DataFrame,
    places: Mapping[str, Place],
    *,
    how: Generation,
    batch_size: int,
    advance: Callable[[int], None] = ignore,
) -> pl.DataFrame:
    """Let the model answer every pair; `places` say where in an output of each template the answer stands."""
    encoded = encoder.encode([pair_of(row) for row in pairs.select(encoder.columns).iter_rows(named=True)])
    room = room_of(model)
    dropped = [no_room(one, room, how) for one in encoded]
    kept = [place for place, reason in enumerate(dropped) if reason is None]
    advance(pairs.height - len(kept))
    prompts = [tuple(one.prompt) if isinstance(one, Encoded) else () for one in encoded]
    written = generate(
        model,
        [prompts[place] for place in kept],
        [names(pairs)[place] for place in kept],
        stop_id=encoder.stop_id,
        how=how,
        batch_size=batch_size,
        advance=advance,
    )
    outputs: list[list[str] | None] = [None] * pairs.height
    for place, texts in zip(kept, written, strict=True):
        outputs[place] = decoded(encoder, texts)
    readers = [
        _reader(places[template], _said(places[template], candidates, options, prompt[start:]), options)
        for template, candidates, options, prompt, start in pairs.select(
            "template", "candidates", "options", "prompt", "question_start"
        ).rows()
    ]
    said = [commonest([read(text) for text in texts or ()]) for read, texts in zip(readers, outputs, strict=True)]
    rights = [
        [right for text in texts if (right := read(text)) is not None]
        for read, texts in zip(readers, pairs["references"].to_list(), strict=True)
    ]
    return finished(
        pairs.with_columns(
            outputs=pl.Series(outputs, dtype=pl.List(pl.String)),
            answer=pl.Series(said, dtype=pl.String),
            references=pl.Series(rights, dtype=pl.List(pl.String)),
            dropped=pl.Series(dropped, dtype=pl.String),
        )
    )


def _said(place: Place, candidates: Sequence[str], options: Sequence[str], question: str) -> list[str | None]:
    r"""How each option is answered. A chain of thought has no candidates: there the list in its question shows it.

    >>> _said(Place(), [], ["yes", "no"], "Is it?\n\nOptions:\n(A) yes\n(B) no\n")
    ['(A)', '(B)']
    """
    if candidates or not options:
        return [place.read(text) for text in candidates]
    marked = (style for style in STYLES.values() if style.labels != "none")
    shown = next((style for style in marked if style.between.join(items(options, style)) in question), None)
    return [*(options if shown is None else answers(options, shown, listed=True))]


def _reader(place: Place, said: Sequence[str | None], options: Sequence[str]) -> Callable[[str], str | None]:
    """How the answer of one pair is read: a mark such as `(B)` means the words of that option, in every style."""
    marks = dict(zip(said, options, strict=False))

    def read(text: str) -> str | None:
        found = place.read(text)
        return marks.get(found, found)

    return read


def commonest(answers: Sequence[str | None]) -> str | None:
    """Take the commonest answer, as it was first written; None where there is none.

    >>> commonest(["12", None, "The 12.", "7"])
    '12'
    """
    said = [answer for answer in answers if answer is not None]
    counts = Counter(map(plain, said))
    return max(said, key=lambda answer: counts[plain(answer)], default=None)


def decoded(encoder: Encoder, texts: Sequence[Tokens]) -> list[str]:
    """Write tokens as text, without special ones."""
    return [str(encoder.tokenizer.decode(list(text), skip_special_tokens=True)) for text in texts]


def names(pairs: pl.DataFrame) -> list[str]:
    """Name every pair, so that what is drawn for it is its own."""
    return pairs.select(pl.concat_str(NAME, separator="\t")).to_series().to_list()
