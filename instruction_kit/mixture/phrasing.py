"""The phrasings of a mixture: the templates of each of its tasks, and those that serve a setting.

In: a mixture of which it is settled what trains and what is measured. Out: templates by task. In a setting only the
first `num_templates` of a training task are taken, by hash, so that a larger number keeps all that a smaller one keeps;
measured tasks keep theirs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from instruction_kit import choice
from instruction_kit.errors import MixtureError
from instruction_kit.mixture.check import raise_all
from instruction_kit.mixture.serve import Readable, all_templates, unlike, unserved
from instruction_kit.render.setting import Setting, parse_setting, serving
from instruction_kit.template.template import Template

if TYPE_CHECKING:
    from instruction_kit.mixture.mixture import Mixture

ByTask = dict[str, list[Template]]


def readable(mixture: "Mixture") -> Readable:
    """What each task that trains or is measured could be worded in, and what is wrong with files."""
    held = mixture.held_out
    tasks = {name: mixture.chosen[name] for name in (*held.training, *held.measured)}
    wording = {name: mixture.part(name).wording for name in held.training}
    wording |= dict.fromkeys(held.measured, mixture.held_out_wording)
    return all_templates(tasks, folders=mixture.folders, wording=wording)


def staying(mixture: "Mixture") -> ByTask:
    """The phrasings in languages that may stay, of these the ones that stand among the first in any setting.

    Raises:
        MixtureError: no task has a template for a setting, or a task has none for any.
        TemplateError: template files cannot be used.

    """
    found, problems = mixture.readable
    left = {name: [t for t in of if not mixture.filter.leaving_templates([t])] for name, of in found.items()}
    raise_all([*problems, *(MixtureError(why) for why in _unserved(mixture, left))])
    return {name: _first(mixture, name, templates) for name, templates in left.items()}


def leaving(mixture: "Mixture") -> dict[str, str]:
    """Template -> why it leaves."""
    found, _ = mixture.readable
    gone = mixture.filter.leaving_templates([t for templates in found.values() for t in templates])
    return {f"template {name}": why for name, why in sorted(gone.items())}


def in_setting(
    mixture: "Mixture", name: str, templates: Sequence[Template], setting: Setting, *, measured: bool
) -> list[Template]:
    """Those of a task's templates that serve a setting, to train or to be measured."""
    source = mixture.part(name).exemplars.source
    found = serving(templates, setting, task=mixture.chosen[name], exemplars=source, measured=measured)
    if (bound := _bound(mixture, name)) is None:
        return found
    keys = choice.keys(choice.row_hashes([t.name for t in found]), mixture.seed, "template order", name)
    return [found[place] for place in sorted(choice.smallest(keys, bound).tolist())]


def _bound(mixture: "Mixture", name: str) -> int | None:
    return None if name in mixture.held_out.measured else mixture.part(name).num_templates


def _first(mixture: "Mixture", name: str, templates: list[Template]) -> list[Template]:
    if not _bound(mixture, name):
        return templates
    trained = [(parse_setting(key), False) for key in mixture.part(name).settings]
    asked = [*trained, *((parse_setting(key), True) for key in mixture.held_out_settings)]
    kept = {t.name for key, measured in asked for t in in_setting(mixture, name, templates, key, measured=measured)}
    return [t for t in templates if t.name in kept]


def _unserved(mixture: "Mixture", templates: Mapping[str, Sequence[Template]]) -> Iterator[str]:
    """Settings without a task and tasks without a setting, as far as templates could be read."""
    yield from _unserved_in_training(mixture, templates)
    yield from _unserved_in_measuring(mixture, templates)
    held = mixture.held_out
    for name in (*held.training, *held.measured):
        part = mixture.part(name)
        keys = [*mixture.held_out_settings, *(part.settings if name in held.training else ())]
        yield from unlike(mixture.chosen[name], part.exemplars.alike, keys)
    for name in (name for name, left in templates.items() if not left):
        where = f"templates/{mixture.chosen[name].schema.folder()}/ or templates/{name}/"
        wanted = " or ".join(mixture.languages or ())
        yield f"languages: task {name} has no template in {wanted}; write one in {where}, or take the task out"


def _unserved_in_training(mixture: "Mixture", templates: Mapping[str, Sequence[Template]]) -> Iterator[str]:
    worded = {name: mixture.chosen[name] for name in mixture.held_out.training if templates.get(name)}
    for path, part in mixture.homes.items():
        mine = {name: task for name, task in worded.items() if mixture.home(name) == path}
        where = f"parts.{path}.settings" if path else "settings"
        yield from unserved(where, list(part.settings), mine, templates, part.exemplars.source)


def _unserved_in_measuring(mixture: "Mixture", templates: Mapping[str, Sequence[Template]]) -> Iterator[str]:
    sources = {name: mixture.part(name).exemplars.source for name in mixture.held_out.measured}
    for source in sorted(set(sources.values())):
        mine = {n: mixture.chosen[n] for n, own in sources.items() if own == source and templates.get(n)}
        keys = list(mixture.held_out_settings)
        yield from unserved("held_out_settings", keys, mine, templates, source, measured=True)
