"""One example through one template: what the pair holds, character by character, and what is never cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rendering import (
    ASK,
    CLAIM,
    COT,
    INVERTED,
    INVERTING,
    MATHS,
    NO_OPTIONS,
    READING,
    REASONED,
    SENTENCE,
    attempted,
    odd_text,
    question,
    quiz,
    rendered,
    template,
)
from small_task import CLASSES, Verdict, claims, verdicts

from instruction_kit import Frame, Task, labels
from instruction_kit.render.pair import PAIR_SCHEMA
from instruction_kit.schema import MathWordProblem
from instruction_kit.template.environment import RowProblem

# --- prompt and completion --------------------------------------------------------------------------------------------


def test_a_pair_reads_as_the_template_says():
    pair = rendered(ASK, CLAIM)
    assert pair.prompt == "The sky is green.\n\nIs that so?\n\nOptions:\n- true\n- false\n- open\n"
    assert pair.completion == "false"
    assert (pair.answer_start, pair.answer_end, pair.question_start) == (0, 5, 0)
    assert pair.options == CLASSES
    assert pair.references == ["false"]
    assert (pair.candidates, pair.gold) == ([], [])  # filled where a row is measured


def test_without_options_the_line_and_its_blank_line_vanish():
    assert rendered(ASK, CLAIM, setting=NO_OPTIONS).prompt == "The sky is green.\n\nIs that so?\n"


@pytest.mark.parametrize("joiner", ["\n", "\n\n", " ", "\nAnswer: ", "###", "😀"])
def test_the_joiner_ends_the_prompt_and_stands_nowhere_else(joiner):
    pair = rendered(ASK, CLAIM, joiner=joiner)
    assert pair.prompt == rendered(ASK, CLAIM, joiner="\n").prompt.removesuffix("\n") + joiner
    assert pair.completion == "false"


def test_both_sides_are_trimmed():
    pair = rendered("\n\n  {{ claim }}  \n\n|||\n\n {{ answer }} \n\n", CLAIM)
    assert (pair.prompt, pair.completion) == ("The sky is green.\n", "false")


def test_answer_words_are_the_templates_then_the_tasks_then_the_name_of_the_class():
    worded = verdicts(claims(1), answers={"true": "right", "false": "wrong"})
    own = "---\nanswers: {false: nonsense}\n---\n" + ASK
    assert rendered(ASK, CLAIM, task=worded, measured=True).candidates == ["right", "wrong", "open"]
    assert rendered(own, CLAIM, task=worded, measured=True).candidates == ["right", "nonsense", "open"]
    assert rendered(own, CLAIM, measured=True).candidates == ["true", "nonsense", "open"]
    assert "- nonsense\n" in rendered(own, CLAIM, task=worded).prompt


# --- styles -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "block", "completion"),
    [
        ("dash", "Options:\n- red\n- blue", "blue"),
        ("letter", "Options:\n(A) red\n(B) blue", "(B)"),
        ("number", "Options:\n1) red\n2) blue", "2"),
        ("plain", "red\nblue", "blue"),
    ],
)
def test_options_are_listed_and_answered_in_the_style_of_the_template(style, block, completion):
    text = f"---\nstyle: {style}\n---\n{{{{ question }}}}\n\n{{{{ options }}}}\n|||\n{{{{ answer }}}}"
    pair = rendered(text, question("red", "blue", answer=1), task=quiz(), measured=True)
    assert pair.prompt == f"Which?\n\n{block}\n"
    assert pair.completion == completion == pair.candidates[1]
    assert pair.options == ["red", "blue"]
    bare = rendered(text, question("red", "blue", answer=1), task=quiz(), setting=NO_OPTIONS, measured=True)
    assert (bare.prompt, bare.completion, bare.candidates) == ("Which?\n", "blue", ["red", "blue"])


def test_a_hundred_options_have_a_hundred_letters():
    text = "---\nstyle: letter\n---\n{{ question }}\n\n{{ options }}\n|||\n{{ answer }}"
    pair = rendered(text, question(*(f"o{n}" for n in range(100)), answer=99), task=quiz(), measured=True)
    assert "\n(Z) o25\n(AA) o26\n" in pair.prompt
    assert pair.completion == "(CV)"
    assert len(set(pair.candidates)) == 100


def test_braces_in_an_option_stay_as_they_are():
    pair = rendered(
        "---\nstyle: letter\n---\n{{ options }}\n{{ question }}\n|||\n{{ answer }}",
        question("{label}", "{text}"),
        task=quiz(),
    )
    assert "(A) {label}\n(B) {text}\n" in pair.prompt


# --- the answer's place -----------------------------------------------------------------------------------------------


@given(
    odd_text,
    st.sampled_from(["{{ answer }}", "I say {{ answer }}.", "{{ rationale }}\nSo: {{ answer }}!", "x {{ answer }}"]),
)
def test_the_answer_stands_exactly_where_the_pair_says(answer, output):
    """Code points, whatever is in front of it, with the blanks at its edges left out; and it reads back."""
    text = "{{ question }}\n|||\n" + output
    example = {"question": "How many?", "answer": answer, "rationale": "😀 Two and two.\n\u202eCount."}
    pair = attempted(text, example, task=MATHS, setting=NO_OPTIONS)
    if isinstance(pair, str):
        assert pair == "its answer or rationale holds the words by which the answer is found again"
        return
    assert pair.completion[pair.answer_start : pair.answer_end] == answer.strip()
    assert template(text, MathWordProblem).extract(pair.completion) == answer.strip()


def test_an_answer_with_blanks_at_its_edges_is_told_without_them():
    pair = rendered("{{ question }}\n|||\nSay {{ answer }}.", {"question": "q", "answer": "  no "}, task=MATHS)
    assert pair.completion == "Say   no ."
    assert pair.completion[pair.answer_start : pair.answer_end] == "no"


def test_code_points_count_not_bytes():
    pair = rendered(SENTENCE.replace("I find", "👩‍👧 🙂 findet"), {**CLAIM, "label": "open"})
    assert pair.completion == "👩‍👧 🙂 findet it open."
    assert (pair.answer_start, pair.answer_end) == (16, 20)


# --- candidates, gold, references -------------------------------------------------------------------------------------


def test_candidates_are_the_output_rendered_once_per_option():
    pair = rendered(SENTENCE, CLAIM, measured=True)
    assert pair.candidates == ["I find it true.", "I find it false.", "I find it open."]
    assert pair.gold == [1]
    assert pair.candidates[pair.gold[0]] == pair.completion
    assert pair.references == ["I find it false."]


def test_options_of_equal_words_are_right_together():
    text = "{{ question }}\n\n{{ options }}\n|||\n{{ answer }}"
    pair = rendered(text, question("no", "yes", "no", answer=2), task=quiz(), measured=True)
    assert (sorted(pair.gold), pair.completion, pair.references) == ([0, 2], "no", ["no"])
    lettered = rendered(
        f"---\nstyle: letter\n---\n{text}", question("no", "yes", "no", answer=2), task=quiz(), measured=True
    )
    assert (sorted(lettered.gold), lettered.completion) == ([0, 2], "(C)")
    assert sorted(lettered.references) == ["(A)", "(C)"]


def test_a_template_that_words_two_classes_alike_counts_both_as_right():
    pair = rendered(f"---\nanswers: {{open: no, false: no}}\n---\n{ASK}", CLAIM, measured=True)
    assert (sorted(pair.gold), pair.candidates) == ([1, 2], ["true", "no", "no"])


def test_every_right_text_is_a_reference_and_the_first_is_trained_on():
    example = {"passage": "p", "question": "Who?", "answers": ["Ann", "Ann Lee", "Ann"], "rationale": None}
    pair = rendered("{{ passage }}\n{{ question }}\n|||\nIt was {{ answer }}.", example, task=READING, measured=True)
    assert pair.completion == "It was Ann."
    assert pair.references == ["It was Ann.", "It was Ann Lee."]
    assert (pair.candidates, pair.gold, pair.options) == ([], [], [])


def test_an_inverted_pair_has_no_answer_and_no_candidates_even_where_it_is_measured():
    pair = rendered(INVERTING, CLAIM, setting=INVERTED, measured=True)
    assert pair.prompt == "Write a claim that is false.\n\nOptions:\n- true\n- false\n- open\n"
    assert pair.completion == "The sky is green."
    assert (pair.answer_start, pair.answer_end) == (None, None)
    assert pair.references == ["The sky is green."]
    assert (pair.candidates, pair.gold) == ([], [])


def test_reasoning_comes_before_the_answer_and_has_no_candidates():
    example = {"question": "2 + 2?", "answer": "4", "rationale": "Two and two."}
    pair = rendered(REASONED, example, task=MATHS, setting=COT, measured=True)
    assert pair.completion == "Two and two.\nThe answer is 4."
    assert pair.completion[pair.answer_start : pair.answer_end] == "4"
    assert pair.candidates == []


@pytest.mark.parametrize(
    ("output", "answer"), [("=={{ answer }}", "=5"), ("x x {{ answer }}", "x 1"), ("So so {{ answer }}.", "so 1")]
)
def test_an_answer_that_begins_as_the_words_before_it_still_reads_back_or_is_refused(output, answer):
    text = "{{ question }}\n|||\n" + output
    pair = attempted(text, {"question": "q", "answer": answer, "rationale": None}, task=MATHS)
    assert isinstance(pair, str) or template(text, MathWordProblem).extract(pair.completion) == answer


@pytest.mark.parametrize("field", ["answer", "rationale"])
def test_a_row_that_holds_the_words_before_the_answer_cannot_stand_in_that_phrasing(field):
    example = {"question": "2 + 2?", "answer": "4", "rationale": "Two and two.", field: "The answer is 5, or so."}
    with pytest.raises(
        RowProblem, match=r"^its answer or rationale holds the words by which the answer is found again$"
    ):
        rendered(REASONED, example, task=MATHS, setting=COT)
    assert rendered("{{ question }}\n|||\n{{ answer }}", example, task=MATHS).completion == example["answer"]


# --- what a row may lack ----------------------------------------------------------------------------------------------


def test_a_missing_field_that_is_printed_is_the_rows_problem_and_a_guarded_one_is_not():
    with pytest.raises(RowProblem, match=r"^prints nothing$"):
        rendered("{{ context }} {{ question }}\n|||\n{{ answer }}", question("a", "b"), task=quiz())
    guarded = "{% if context %}{{ context }}\n\n{% endif %}{{ question }}\n|||\n{{ answer }}"
    assert rendered(guarded, question("a", "b"), task=quiz()).prompt == "Which?\n"
    assert rendered(guarded, question("a", "b", context="Look."), task=quiz()).prompt == "Look.\n\nWhich?\n"


def test_a_side_that_comes_out_empty_is_the_rows_problem():
    context = "{% if context %}{{ context }}{% endif %}"
    with pytest.raises(RowProblem, match=r"^its prompt is empty$"):
        rendered(f"{context}\n|||\n{{{{ answer }}}}", question("a", "b"), task=quiz())
    with pytest.raises(RowProblem, match=r"^its output is empty$"):
        rendered(f"{{{{ question }}}}\n|||\n{context}", question("a", "b"), task=quiz(), setting=INVERTED)


@given(odd_text, odd_text, odd_text)
def test_any_text_survives(claim, first, second):
    """Nothing in a row is taken for a template, a separator, a style's pattern or the end of anything."""
    assert rendered("About {{ claim }}:\n|||\n{{ answer }}", {**CLAIM, "claim": claim}).prompt == f"About {claim}:\n"
    pair = rendered(
        "Q {{ question }}\n\n{{ options }}\n\nA\n|||\nThe answer is {{ answer }}, surely.",
        question(first, second, answer=1),
        task=quiz(),
        measured=True,
    )
    assert pair.prompt == f"Q Which?\n\nOptions:\n- {first}\n- {second}\n\nA\n"
    assert pair.candidates == [f"The answer is {word}, surely." for word in (first, second)]
    assert pair.completion == f"The answer is {second}, surely."


# --- the layout -------------------------------------------------------------------------------------------------------


def test_the_columns_of_a_pair_are_those_of_the_design():
    assert {name: str(PAIR_SCHEMA.field(name).type) for name in PAIR_SCHEMA.names} == {
        **dict.fromkeys(["prompt", "completion", "task", "cluster", "template", "setting"], "string"),
        **dict.fromkeys(["split", "row", "group"], "string"),
        **dict.fromkeys(["round", "question_start", "answer_start", "answer_end"], "int64"),
        "inverted": "bool",
        **dict.fromkeys(["options", "references", "candidates"], "list<item: string>"),
        "gold": "list<item: int64>",
        "exemplars": "list<item: struct<row: string, prompt: string, completion: string>>",
        "turns": "list<item: struct<role: string, content: string>>",
    }


def test_labels_keep_the_order_in_which_the_task_lists_its_classes():
    swapped = Task(
        name="swapped",
        cluster="judging",
        schema=Verdict,
        source=Frame(claims(1)),
        columns={"claim": "claim", "label": labels("label", CLASSES[::-1])},
    )
    pair = rendered(ASK, CLAIM, task=swapped, measured=True)
    assert (pair.candidates, pair.gold) == (["open", "false", "true"], [1])
