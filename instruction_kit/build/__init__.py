"""From a mixture to a folder that `load_dataset` reads."""
