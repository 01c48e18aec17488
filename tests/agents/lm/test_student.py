import json

import pytest

torch = pytest.importorskip("torch", reason="needs commonweal[lm]")
transformers = pytest.importorskip("transformers", reason="needs commonweal[lm]")
pytest.importorskip("jinja2", reason="applies chat templates")

from students import TINY, save_tiny_student, signal_pairs  # noqa: E402

from agents.lm import StudentSettings  # noqa: E402
from agents.lm.isolation import isolated  # noqa: E402
from agents.lm.student import check_base, make_student  # noqa: E402


def test_a_student_of_default_sizes_takes_less_than_5_mb(tmp_path):
    save_tiny_student(tmp_path, settings=StudentSettings())
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 5_000_000
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"], config["head_dim"]) == (3, 128, 32)
    assert config["tie_word_embeddings"]
    assert config["use_cache"]


def test_a_saved_student_is_an_ordinary_folder(tiny_student):
    assert {file.name for file in tiny_student.iterdir()} == {
        *("config.json", "generation_config.json", "model.safetensors", "chat_template.jinja"),
        *("tokenizer.json", "tokenizer_config.json"),
    }
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_student)
    assert model.dtype is torch.float32
    assert model.generation_config.eos_token_id == 1


def test_the_seed_makes_the_first_weights():
    def first(seed):
        with isolated(seed=seed, threads=1):
            return make_student(TINY, signal_pairs(20)).model.get_input_embeddings().weight

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_a_folder_keeps_its_tokenizer_and_the_type_of_its_weights(tiny_student, tmp_path):
    base = tmp_path / "base"
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_student)
    model.to(torch.bfloat16).save_pretrained(base)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_student)
    tokenizer.save_pretrained(base)
    student = make_student(StudentSettings(base=str(base)), [])
    assert student.model.dtype is torch.float32
    student.finished().save(tmp_path / "saved")
    saved = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert saved.dtype is torch.bfloat16
    ours, theirs = (
        (folder / "tokenizer.json").read_bytes() for folder in (tmp_path / "saved", base)
    )
    assert ours == theirs


def test_the_context_is_at_most_the_bases(tiny_student):
    def context(tokens):
        settings = StudentSettings(base=str(tiny_student), context_tokens=tokens)
        return make_student(settings, []).context_tokens

    assert context(4096) == TINY.context_tokens
    assert context(100) == 100


def test_a_base_that_is_no_model_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"base = '.*': expected a folder with a saved model"):
        check_base(StudentSettings(base=str(tmp_path)))
    check_base(StudentSettings())


@pytest.mark.parametrize(
    ("removed", "expected"), [("chat_template", "a chat template"), ("eos_token", "an end token")]
)
def test_a_base_whose_tokenizer_lacks_something_is_refused(
    tiny_student, tmp_path, removed, expected
):
    transformers.AutoModelForCausalLM.from_pretrained(tiny_student).save_pretrained(tmp_path)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_student)
    setattr(tokenizer, removed, None)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"base = .*expected a tokenizer with {expected}"):
        make_student(StudentSettings(base=str(tmp_path)), [])
