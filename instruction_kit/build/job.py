"""What all units of one build share, and how another process comes by it.

In: a mixture with its identity, and folders. Out: a `Job`; its carried form, plain data that is small whatever the size
of the sources; and the job again, made of that. A process that reads another mixture from the same names, because a
file was changed meanwhile or its code is another, is refused before it does anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from instruction_kit.build.identity import Identity, differences, read_inputs
from instruction_kit.errors import BuildError
from instruction_kit.mixture.portable import local

if TYPE_CHECKING:
    from instruction_kit.mixture import Mixture

WORK = ".work"
"""Folder in the built folder, as long as it is being built."""
SOURCE = "source "
"""Begins the names of inputs that only reading the sources could tell; a unit says itself which bytes it is of."""


@dataclass(frozen=True)
class Job:
    """One build."""

    mixture: "Mixture"
    identity: Identity
    out: Path
    cache: Path
    """Where scans are kept."""

    @property
    def work(self) -> Path:
        """What is made on the way, and goes when the build is done."""
        return self.out / WORK / self.identity.fingerprint[:16]

    def carried(self) -> dict[str, Any]:
        """What `opened` takes, as JSON could hold it."""
        return {
            "mixture": local(self.mixture),
            "identity": {"mixture": dict(self.identity.mixture), "inputs": dict(self.identity.inputs)},
            "out": str(self.out),
            "cache": str(self.cache),
        }


def opened(carried: Mapping[str, Any]) -> Job:
    """The job in another process, which stands in the same folder.

    Raises:
        BuildError: tasks, templates or code are not those that the build began with.

    """
    from instruction_kit.mixture import Mixture

    mixture, identity = Mixture(**carried["mixture"]), Identity(**carried["identity"])
    began = Identity(identity.mixture, {k: v for k, v in identity.inputs.items() if not k.startswith(SOURCE)})
    if changed := differences(began, Identity(mixture.portable(), read_inputs(mixture))):
        raise BuildError(f"a worker process reads another mixture than the build began with: {'; '.join(changed)}")
    return Job(mixture, identity, Path(carried["out"]), Path(carried["cache"]))
