"""Two rows of every shipped schema, one with all that it can hold and one with no more than it must."""

from typing import Any

import polars as pl

from instruction_kit import Frame, Task, labels
from instruction_kit import schema as shipped
from instruction_kit.schema import Label, Schema

ROWS: dict[str, list[dict[str, Any]]] = {
    "NaturalLanguageInference": [
        {
            "premise": "A girl feeds two ducks.",
            "hypothesis": "Some birds are given food.",
            "label": "entailment",
            "rationale": "Ducks are birds, and to feed is to give food.",
        },
        {"premise": "The shop is shut.", "hypothesis": "One can buy bread there now.", "label": "contradiction"},
        {"premise": "The shop is shut.", "hypothesis": "The baker is ill.", "label": "neutral"},
    ],
    "Classification": [{"text": "Great soup!", "label": "praise"}, {"text": "Cold soup!", "label": "blame"}],
    "MultipleChoice": [
        {
            "context": "Ida locks the door.",
            "question": "What does she need?",
            "options": ["a key", "a spoon"],
            "answer": 0,
            "rationale": "Doors are locked with keys.",
        },
        {"question": "What do cows drink?", "options": ["ink", "water"], "answer": 1},
    ],
    "ReadingComprehension": [
        {
            "passage": "The mill burned down in 1802.",
            "question": "When did the mill burn down?",
            "answers": ["1802", "in 1802"],
        },
        {"passage": "The mill is red.", "question": "What colour is the mill?", "answers": ["red"]},
    ],
    "AnswerIfStated": [
        {
            "passage": "The mill burned down in 1802.",
            "question": "When did the mill burn down?",
            "answers": ["1802", "in 1802"],
        },
        {"passage": "The mill is red.", "question": "Who painted the mill?", "answers": ["unanswerable"]},
    ],
    "AnswerCheck": [
        {
            "passage": "Ida fed the hens and Ben shut the gate.",
            "question": "What did Ben do?",
            "proposal": "He shut the gate.",
            "label": "yes",
            "rationale": "It is said of Ben that he shut the gate.",
        },
        {"passage": "The mill is red.", "question": "What is red?", "proposal": "the barn", "label": "no"},
    ],
    "Continuation": [
        {
            "text": "Ben put bread into the toaster.",
            "endings": ["It rang at the door.", "It popped up brown."],
            "answer": 1,
            "rationale": "A toaster browns bread and throws it up.",
        },
        {"text": "Ida dropped the cup and it", "endings": ["broke.", "sang."], "answer": 0},
    ],
    "Completion": [
        {"text": "He turned the key and opened the", "endings": ["door", "lid"]},
        {"text": "It rained all day.", "endings": ["In the evening the river rose."]},
    ],
    "Summarization": [
        {
            "document": "Rain fell for a week. The river rose.",
            "form": "a single sentence",
            "summaries": ["A week of rain made the river rise."],
        },
        {"document": "The cat slept all day.", "summaries": ["A cat slept.", "The cat was asleep."]},
    ],
    "MathWordProblem": [
        {"question": "Ada has 2 pens and buys 3. How many now?", "answer": "5", "rationale": "2 + 3 = 5"},
        {"question": "How much is half of 8?", "answer": "4"},
    ],
    "Paraphrase": [
        {"sentence1": "The train was late.", "sentence2": "The train did not come on time.", "label": "paraphrase"},
        {"sentence1": "Ben saw Ada.", "sentence2": "Ada saw Ben.", "label": "not_paraphrase"},
    ],
    "DuplicateQuestion": [
        {"question1": "How do I peel a pear?", "question2": "How does one peel pears?", "label": "duplicate"},
        {"question1": "How do I peel a pear?", "question2": "When are pears ripe?", "label": "not_duplicate"},
    ],
    "SentenceSimilarity": [
        {"sentence1": "A dog sleeps.", "sentence2": "A dog is asleep.", "score": "5"},
        {"sentence1": "A dog sleeps.", "sentence2": "A dog lies on a mat.", "score": "3"},
        {"sentence1": "A dog sleeps.", "sentence2": "Rents have risen.", "score": "0"},
    ],
    "WordInContext": [
        {
            "word": "bark",
            "sentence1": "The bark of the oak is thick.",
            "sentence2": "They strip the bark off the trunks.",
            "sense": "same",
        },
        {
            "word": "bark",
            "sentence1": "The bark of the oak is thick.",
            "sentence2": "His bark woke the street.",
            "sense": "different",
        },
    ],
    "Answerability": [
        {
            "passage": "The mill burned down in 1802.",
            "question": "When did the mill burn down?",
            "label": "answered",
            "rationale": "The year of the fire is named.",
        },
        {"passage": "The mill is red.", "question": "Who owns the mill?", "label": "not_answered"},
    ],
    "BooleanQA": [
        {
            "passage": "Herons nest in trees.",
            "question": "Do herons nest on the ground?",
            "label": "no",
            "rationale": "A tree is not the ground.",
        },
        {"question": "Is ice cold?", "label": "yes"},
    ],
    "ClaimCheck": [
        {"claim": "Spiders have eight legs.", "label": "true", "rationale": "Spiders are arachnids, which have eight."},
        {"claim": "Spiders have wings.", "label": "false"},
    ],
    "ClosedBookQA": [
        {
            "question": "Which planet has the most visible rings?",
            "answers": ["Saturn", "the planet Saturn"],
            "rationale": "Several planets have rings, and those of Saturn are the brightest.",
        },
        {"question": "How many legs has a spider?", "answers": ["eight"]},
    ],
    "Coreference": [
        {
            "text": "Ida thanked Mia because she had helped.",
            "mention": "she",
            "options": ["Ida", "Mia"],
            "answer": 1,
        },
        {"text": "The box fits the bag since the _ is big.", "mention": "_", "options": ["bag", "box"], "answer": 0},
    ],
    "Translation": [
        {
            "text": "Das Boot ist leer.",
            "source_language": "German",
            "target_language": "English",
            "translations": ["The boat is empty."],
        },
        {
            "text": "Where is the key?",
            "source_language": "English",
            "target_language": "French",
            "translations": ["Où est la clé ?", "Où se trouve la clé ?"],
        },
    ],
    "StructToText": [
        {"data": ["name: The Mill", "food: soup"], "texts": ["The Mill serves soup.", "Soup is served at The Mill."]},
        {"data": ["dog"], "texts": ["A dog runs."]},
    ],
    "Dialogue": [
        {
            "context": "The museum opens at ten.",
            "turns": ["Visitor: Good morning.", "Guard: Good morning.", "Visitor: When do you open?"],
            "responses": ["Guard: At ten."],
        },
        {"turns": ["Is there any tea?"], "responses": ["Yes, in the tin.", "No, sorry."]},
    ],
    "OpenInstruction": [
        {
            "instruction": "Make this polite.",
            "input": "Give me the salt.",
            "output": "Could you pass me the salt, please?",
            "turns": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hello to you."}],
        },
        {"instruction": "Name a fruit.", "output": "A pear."},
    ],
    "SequenceLabelling": [
        {
            "text": "Ada met Ben in Bath.",
            "kinds": ["person", "place"],
            "spans": "Ada: person; Ben: person; Bath: place",
        },
        {"text": "It rained.", "spans": "none"},
    ],
    "Rewriting": [
        {
            "text": "The feline consumed its repast.",
            "manner": "in simpler words",
            "rewrites": ["The cat ate its meal.", "The cat ate."],
        },
        {"text": "I I think it is, um, late.", "rewrites": ["I think it is late."]},
    ],
}
ANSWERS: dict[str, dict[str, str]] = {
    "Paraphrase": {"paraphrase": "yes", "not_paraphrase": "no"},
    "WordInContext": {"same": "yes", "different": "no"},
}
"""Words for classes whose names are none, as a task gives them."""
SCHEMAS: dict[str, type[Schema]] = {name: getattr(shipped, name) for name in ROWS}


def example_task(name: str) -> Task:
    """The rows of a schema as a task, with every field mapped."""
    schema = SCHEMAS[name]
    fields = list(schema.model_fields)
    frame = pl.DataFrame([{field: row.get(field) for field in fields} for row in ROWS[name]], infer_schema_length=None)
    columns: dict[str, Any] = {field: field for field in fields}
    answers = {}
    if isinstance(schema.target, Label):
        field = schema.target.field
        columns[field] = labels(field, list(dict.fromkeys(row[field] for row in ROWS[name])))
        answers = ANSWERS.get(name, {})
    return Task(
        name=f"{schema.folder()}_rows",
        cluster="rows",
        schema=schema,
        source=Frame(frame),
        columns=columns,
        answers=answers,
    )
