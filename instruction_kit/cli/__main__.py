"""`python -m instruction_kit.cli` is the command `instruction-kit`."""

from instruction_kit.cli import main

main()
