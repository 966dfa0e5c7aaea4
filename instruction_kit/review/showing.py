"""`Showing`: the exemplars of one task, and each row of its sample behind them.

In: a task, the rows of its sample, and their pairs in zero-shot settings. Out: few-shot pairs as a build makes them of
rows that it measures, with `option_order: source`. Exemplars are zero-shot pairs, and so is the question's own part of
a prompt, so none of the sample's rows is rendered anew.
"""

from collections.abc import Sequence
from dataclasses import replace

from instruction_kit.build.few_shot import MEASURED, FewShot, Pools, Shots
from instruction_kit.choice import row_hashes
from instruction_kit.errors import TaskError
from instruction_kit.exemplar.pool import Example, Pool
from instruction_kit.exemplar.prompt import behind
from instruction_kit.mixture import Exemplars, Mixture
from instruction_kit.render.listing import Listing
from instruction_kit.render.pair import Pair
from instruction_kit.render.render import Prompting, render
from instruction_kit.render.setting import ExemplarSource, Setting
from instruction_kit.review.asked import Asked, Rendered
from instruction_kit.review.rows import Rows
from instruction_kit.task.exemplars import read_exemplars
from instruction_kit.task.task import Task
from instruction_kit.template.environment import RowProblem
from instruction_kit.template.template import Template


class Showing:
    """What one task shows, its own rows or those of the file beside it."""

    def __init__(self, task: Task, rows: Rows, made: Sequence[Rendered], source: ExemplarSource) -> None:
        self.task, self.source = task, source
        self.split = task.exemplar_split("sample")
        self.own = Pool.named({row.name: row.example for row in rows.usable if row.split == self.split})
        self.file = Pool.named(_written(task))
        self._solved = {
            (one.template.name, replace(one.setting, few_shot=True)): {
                row.name: pair for row, pair in one.asked if row.split == self.split
            }
            for one in made
        }
        self._made: dict[tuple[str, Setting, int], Pair | None] = {}
        self._drawing = {split: self._drawn(split, rows) for split in {row.split for row in rows.usable}}

    def _drawn(self, split: str, rows: Rows) -> tuple[FewShot, dict[str, Shots]]:
        """Who finds the exemplars for the rows of one split, and what each of these draws."""
        mixture = Mixture(data="sample", option_order="source", exemplars=Exemplars(source=self.source))
        pools = Pools(self.own, self.file, self.source)
        few_shot = FewShot(mixture, self.task, pools, split=split, solve=self._solve)
        names = [row.name for row in rows.usable if row.split == split]
        return few_shot, dict(zip(names, few_shot.drawn(row_hashes(names), MEASURED), strict=True))

    def _solve(self, pool: Pool, place: int, template: Template, setting: Setting, _: Listing) -> Pair:
        """As it was rendered where it was asked itself, since options stand in their own order in both."""
        if pool is self.file:
            solved = self.written(place, template, setting)
        else:
            solved = self._solved[template.name, setting].get(pool.rows[place])
        if solved is None:
            raise RowProblem("it cannot stand in this phrasing")
        return solved

    def written(self, place: int, template: Template, setting: Setting) -> Pair | None:
        """One exemplar of the file; None where it cannot stand in this phrasing."""
        key = (template.name, setting, place)
        if key not in self._made:
            self._made[key] = self._rendered(self.file.examples[place], template, setting)
        return self._made[key]

    def _rendered(self, example: Example, template: Template, setting: Setting) -> Pair | None:
        try:
            return render(example, template=template, setting=setting, task=self.task, prompting=Prompting())
        except RowProblem:
            return None

    def pair(self, asked: Asked, template: Template, setting: Setting) -> Pair:
        """One row behind its exemplars.

        Raises:
            RowProblem: it finds none, or goes on with a conversation.

        """
        few_shot, drawn = self._drawing[asked.row.split]
        shots, style = drawn[asked.row.name], Listing().style_of(template)
        shown = few_shot.shown(asked.row.example, asked.row.name, shots, template, setting, style)
        return behind(shown, lambda _: asked.pair, arrangement=shots.arrangement, prompting=Prompting())


def _written(task: Task) -> dict[str, dict[str, object]]:
    """Hand-written exemplars; what is wrong with their file was told with the other files."""
    try:
        return read_exemplars(task)
    except TaskError:
        return {}
