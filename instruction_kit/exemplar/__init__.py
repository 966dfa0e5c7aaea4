"""Few-shot and rationale prompts: which solved examples stand before a question, and how."""
