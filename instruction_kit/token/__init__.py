"""Text to tokens: how a model's text is laid out, the ids of prompts and completions, and shards of them on disk."""
