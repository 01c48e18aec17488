import pytest

torch = pytest.importorskip("torch", reason="needs commonweal[lm]")
pytest.importorskip("transformers", reason="needs commonweal[lm]")
pytest.importorskip("accelerate", reason="teaches")
pytest.importorskip("jinja2", reason="applies chat templates")

from dataclasses import replace  # noqa: E402

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from students import BRIEF, TINY, signal_pairs  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from agents.lm.isolation import isolated  # noqa: E402
from agents.lm.numbers import waves  # noqa: E402
from agents.lm.student import make_student  # noqa: E402
from agents.lm.teach import teach  # noqa: E402

WIDTH = TINY.width


def embeddings_of_numbers(model, tokenizer):
    weight = model.get_input_embeddings().weight.detach()
    found = {t: i for t, i in tokenizer.get_vocab().items() if t.isascii() and t.isdigit()}
    return {int(text): weight[token] for text, token in found.items()}


def likeness(one, other):
    return float(torch.cosine_similarity(waves(one, WIDTH), waves(other, WIDTH), dim=0))


@given(st.integers(0, 200), st.integers(1, 2))
def test_a_number_is_more_like_its_neighbour_than_like_one_farther_off(number, near):
    assert likeness(number, number + near) > likeness(number, number + near + 3)


@given(st.integers(0, 300), st.integers(0, 300))
def test_no_two_numbers_are_the_same(one, other):
    assert (one == other) == torch.equal(waves(one, WIDTH), waves(other, WIDTH))


def test_whole_numbers_begin_with_waves_and_nothing_else_does():
    with isolated(seed=0, threads=1):
        student = make_student(TINY, signal_pairs(50))
    with isolated(seed=0, threads=1):
        plain = make_student(replace(TINY, fixed_numbers=False), signal_pairs(50))
    found = embeddings_of_numbers(student.model, student.tokenizer)
    without = embeddings_of_numbers(plain.model, plain.tokenizer)
    assert len(found) >= 10
    for number, embedding in found.items():
        torch.testing.assert_close(embedding - without[number], waves(number, WIDTH))
    changed = (
        student.model.get_input_embeddings().weight != plain.model.get_input_embeddings().weight
    ).any(1)
    assert int(changed.sum()) == len(found)


def test_teaching_leaves_numbers_where_they_were_and_moves_words(tmp_path):
    pairs = signal_pairs(200)
    teach(pairs, student=TINY, teaching=replace(BRIEF, steps=20), out=tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    with isolated(seed=BRIEF.seed, threads=1):
        before = make_student(TINY, pairs)
    began = embeddings_of_numbers(before.model, before.tokenizer)
    for number, embedding in embeddings_of_numbers(model, before.tokenizer).items():
        likeness = torch.cosine_similarity(embedding, began[number], dim=0)
        assert float(likeness) > 0.99999
    moved = model.get_input_embeddings().weight - before.model.get_input_embeddings().weight
    assert float(moved.detach().norm(dim=1).max()) > 0.05


def test_where_it_is_not_asked_for_numbers_are_learned_like_words(tmp_path):
    settings = replace(TINY, fixed_numbers=False)
    teach(signal_pairs(200), student=settings, teaching=replace(BRIEF, steps=20), out=tmp_path)
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    found = embeddings_of_numbers(model, AutoTokenizer.from_pretrained(tmp_path))
    likenesses = [torch.cosine_similarity(e, waves(n, WIDTH), dim=0) for n, e in found.items()]
    assert max(map(float, likenesses)) < 0.8
