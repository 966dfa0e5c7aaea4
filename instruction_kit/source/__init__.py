"""Raw rows as Polars frames. A task names its source with one of `Hub`, `Files` and `Frame`."""

from instruction_kit.source.files import Files
from instruction_kit.source.frame import Frame
from instruction_kit.source.hub import Hub
from instruction_kit.source.sample import Sample

__all__ = ["Files", "Frame", "Hub", "Sample"]
