import hashlib
import importlib
import json
import os
import random
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs commonweal[lm]")
transformers = pytest.importorskip("transformers", reason="needs commonweal[lm]")
pytest.importorskip("accelerate", reason="needs commonweal[lm]")
pytest.importorskip("jinja2", reason="applies chat templates")

from students import ANSWERS, BRIEF, TINY, save_tiny_student, signal_pair, signal_pairs  # noqa: E402

from agents.llm.transformers_client import TransformersClient  # noqa: E402
from agents.lm import StudentSettings, describe  # noqa: E402
from agents.lm.teach import teach  # noqa: E402

PAIRS = signal_pairs(80)
SHORT = replace(BRIEF, steps=20, save_every_steps=8)


def digest(folder):
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def taught_in(out, *, pairs=PAIRS, student=TINY, teaching=SHORT, **options):
    return teach(pairs, student=student, teaching=teaching, out=out, **options)


def answers_of(folder, pairs):
    client = TransformersClient(folder, temperature=0.0, max_tokens=12, device="cpu")
    try:
        return [client.complete(pair.messages, seed=0).text for pair in pairs]
    finally:
        client.close()


class Stop:
    """Presses Ctrl-C after a step."""

    def __init__(self, step):
        self.step = step
        self.seen = []

    def __call__(self, step, total, loss):
        self.seen.append(step)
        if step == self.step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A short teaching that nothing stopped."""
    return taught_in(tmp_path_factory.mktemp("whole") / "model", held_out=PAIRS[:5])


def test_a_student_learns_what_the_pairs_say(taught_student):
    assert taught_student.held_out_exact == 1.0
    assert taught_student.num_held_out == 40
    first, last = taught_student.curve[0][1], taught_student.curve[-1][1]
    assert last < 0.1 < 1.0 < first
    asked = [signal_pair(colour, 33) for colour in ANSWERS]
    assert answers_of(taught_student.folder, asked) == [pair.answer for pair in asked]


def test_an_untaught_student_reproduces_no_answer(tiny_student):
    assert "Action" not in "".join(answers_of(tiny_student, PAIRS[:3]))


def test_teaching_json_says_what_was_taught_and_is_read_back(taught_student):
    assert describe(taught_student.folder) == taught_student
    assert taught_student.about == {"game": "signals"}
    assert taught_student.student == TINY.to_dict()
    assert [step for step, _ in taught_student.curve] == list(range(10, 81, 10))
    assert (taught_student.num_pairs, taught_student.num_too_long) == (300, 0)
    assert taught_student.versions["torch"] == torch.__version__


def test_checkpoints_are_gone_when_all_is_taught(taught_student):
    assert {file.name for file in taught_student.folder.iterdir()} == {
        *("config.json", "generation_config.json", "model.safetensors", "chat_template.jinja"),
        *("tokenizer.json", "tokenizer_config.json", "teaching.json"),
    }


def test_the_same_teaching_gives_the_same_weights_and_another_seed_others(whole, tmp_path):
    taught_in(tmp_path / "again")
    taught_in(tmp_path / "other", teaching=replace(SHORT, seed=1))
    assert digest(tmp_path / "again") == digest(whole.folder)
    assert digest(tmp_path / "other") != digest(whole.folder)


@pytest.mark.parametrize("stopped_after", [3, 13])
def test_a_stopped_teaching_goes_on_as_if_it_had_not_been(whole, tmp_path, stopped_after):
    stop = Stop(stopped_after)
    with pytest.raises(KeyboardInterrupt):
        taught_in(tmp_path / "stopped", held_out=PAIRS[:5], on_step=stop)
    assert not (tmp_path / "stopped" / "teaching.json").exists()
    again = Stop(None)
    resumed = taught_in(tmp_path / "stopped", held_out=PAIRS[:5], on_step=again, resume=True)
    assert again.seen == list(range(1 + (stopped_after - 1) // 8 * 8, 21))
    assert digest(tmp_path / "stopped") == digest(whole.folder)
    assert resumed.curve == whole.curve
    assert resumed.held_out_exact == whole.held_out_exact


def test_a_checkpoint_that_was_cut_short_is_passed_over(whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        taught_in(tmp_path / "stopped", on_step=Stop(18))
    unfinished = tmp_path / "stopped" / "checkpoints" / "checkpoint-18"
    unfinished.mkdir()
    (unfinished / "config.json").write_text("{")
    taught_in(tmp_path / "stopped", resume=True)
    assert digest(tmp_path / "stopped") == digest(whole.folder)


def test_a_teaching_stopped_while_its_model_is_saved_is_finished(whole, tmp_path, monkeypatch):
    def stop(taught):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("agents.lm.teach.write", stop)
        with pytest.raises(KeyboardInterrupt):
            taught_in(tmp_path, held_out=PAIRS[:5])
    taught = taught_in(tmp_path, held_out=PAIRS[:5], resume=True)
    assert digest(tmp_path) == digest(whole.folder)
    assert taught.curve == whole.curve
    assert not (tmp_path / "checkpoints").exists()


def test_resuming_what_is_through_returns_it_as_it_stands(tmp_path):
    taught = taught_in(tmp_path, teaching=replace(SHORT, steps=2))
    before = digest(tmp_path)
    assert taught_in(tmp_path, teaching=replace(SHORT, steps=2), resume=True) == taught
    assert digest(tmp_path) == before


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "through"])
def test_another_teaching_does_not_go_on_from_a_folder(tmp_path, stopped):
    if stopped:
        with pytest.raises(KeyboardInterrupt):
            taught_in(tmp_path, on_step=Stop(9))
    else:
        taught_in(tmp_path)
    with pytest.raises(ValueError, match="holds another teaching") as raised:
        taught_in(
            tmp_path, pairs=PAIRS[1:], teaching=replace(SHORT, learning_rate=0.5), resume=True
        )
    _, rate, data = str(raised.value).splitlines()
    assert rate == "teaching.learning_rate = 0.5: expected 0.01"
    assert data.startswith("data_digest = ")
    with pytest.raises(ValueError, match=f"out = {tmp_path}: expected a folder without"):
        taught_in(tmp_path)


def test_precision_bfloat16_teaches_too_and_weights_stay_float32(tmp_path):
    taught = taught_in(tmp_path, teaching=replace(SHORT, precision="bfloat16"))
    assert taught.curve[-1][1] < taught.curve[0][1] / 2
    assert taught.precision == "bfloat16"
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert model.dtype is torch.float32


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def drawn():
    """Draw from each of the global generators."""
    return random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002


def seed_all():
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)


def test_nothing_global_changes_and_nothing_is_printed(tmp_path, capfd, two_threads):
    seed_all()
    expected = drawn()
    logging, environment = transformers.utils.logging, dict(os.environ)
    before = logging.is_progress_bar_enabled(), logging.get_verbosity()
    seed_all()
    taught_in(tmp_path, teaching=replace(SHORT, steps=2))
    assert drawn() == expected
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
    assert (logging.is_progress_bar_enabled(), logging.get_verbosity()) == before
    assert dict(os.environ) == environment
    assert capfd.readouterr() == ("", "")


def test_every_step_is_told_with_its_loss(tmp_path):
    told = []
    taught = taught_in(tmp_path, on_step=lambda *step: told.append(step))
    assert [step for step, _, _ in told] == list(range(1, 21))
    assert {total for _, total, _ in told} == {20}
    assert taught.curve[1] == (20, pytest.approx(sum(loss for _, _, loss in told[10:]) / 10))


def test_the_loss_is_that_of_the_answers_alone(tmp_path):
    base = save_tiny_student(tmp_path / "base", pairs=PAIRS)
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base)
    pair = signal_pair("red", 7)
    told = [{"role": m.role, "content": m.content} for m in pair.messages]
    prompt = tokenizer.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
    asked = tokenizer.encode(prompt, add_special_tokens=False)
    answer = tokenizer.encode(pair.answer + "<|end|>", add_special_tokens=False)
    with torch.no_grad():
        logs = model(torch.tensor([asked + answer])).logits.log_softmax(-1)[0]
    places = range(len(asked) - 1, len(asked) + len(answer) - 1)
    expected = -sum(logs[i, t].item() for i, t in zip(places, answer, strict=True)) / len(answer)
    losses = []
    taught_in(
        tmp_path / "taught",
        pairs=[pair],
        student=StudentSettings(base=str(base)),
        teaching=replace(BRIEF, steps=1, batch_size=3),
        on_step=lambda step, total, loss: losses.append(loss),
    )
    assert losses == [pytest.approx(expected, rel=1e-4)]


def test_other_models_are_taught_without_what_only_some_can_do(tmp_path):
    base = save_tiny_student(tmp_path / "base", pairs=PAIRS)
    config = transformers.OPTConfig(
        vocab_size=TINY.vocab_size,
        hidden_size=32,
        ffn_dim=64,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=128,
        word_embed_proj_dim=32,
        dropout=0.0,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformers.OPTForCausalLM(config).save_pretrained(base)
    taught = taught_in(
        tmp_path / "taught",
        pairs=signal_pairs(300),
        student=StudentSettings(base=str(base)),
        teaching=replace(BRIEF, steps=40),
        held_out=PAIRS[:8],
    )
    assert taught.curve[-1][1] < taught.curve[0][1] / 2


def test_a_folder_is_taught_anew_with_its_own_tokenizer(taught_student, tmp_path):
    turned = {"red": "move", "green": "wait", "blue": "clean", "grey": "harvest"}
    taught_in(
        tmp_path,
        pairs=signal_pairs(200, answers=turned),
        student=StudentSettings(base=str(taught_student.folder)),
        teaching=BRIEF,
    )
    asked = [signal_pair(colour, 33, turned) for colour in turned]
    assert answers_of(tmp_path, asked) == [pair.answer for pair in asked]
    tokenizers = [folder / "tokenizer.json" for folder in (tmp_path, taught_student.folder)]
    assert tokenizers[0].read_bytes() == tokenizers[1].read_bytes()


def test_lora_changes_a_folder_and_leaves_an_ordinary_one(taught_student, tmp_path):
    pytest.importorskip("peft", reason="needs commonweal[lm]")
    options = {
        "pairs": signal_pairs(200, answers={"red": "move", "blue": "clean"}),
        "student": StudentSettings(base=str(taught_student.folder), lora_rank=8),
        "teaching": replace(BRIEF, steps=60, learning_rate=0.02, save_every_steps=25),
        "held_out": signal_pairs(20, seed=3, answers={"red": "move", "blue": "clean"}),
    }
    with pytest.raises(KeyboardInterrupt):
        taught_in(tmp_path / "model", on_step=Stop(30), **options)
    taught = taught_in(tmp_path / "model", resume=True, **options)
    assert taught.held_out_exact == 1.0
    assert taught.parameters == taught_student.parameters
    files, theirs = (
        {file.name for file in folder.iterdir()}
        for folder in (tmp_path / "model", taught_student.folder)
    )
    assert files == theirs
    assert "peft" not in (tmp_path / "model" / "config.json").read_text()
    assert digest(tmp_path / "model") != digest(taught_student.folder)


def test_pairs_too_long_are_counted_and_none_that_fits_is_an_error(tmp_path):
    long = PAIRS[0]._replace(answer="12 " * 300)
    taught = taught_in(tmp_path / "one", pairs=[*PAIRS, long, long], held_out=[long, PAIRS[1]])
    assert (taught.num_pairs, taught.num_too_long, taught.num_held_out) == (80, 3, 1)
    with pytest.raises(ValueError, match="context_tokens = 256: expected more"):
        taught_in(tmp_path / "two", pairs=[long])
    assert not (tmp_path / "two").exists()


def test_no_pairs_and_a_missing_base_are_refused_before_a_folder_is_made(tmp_path):
    with pytest.raises(ValueError, match=r"pairs = \[\]: expected at least one pair"):
        taught_in(tmp_path / "out", pairs=[])
    with pytest.raises(ValueError, match="base = 'nowhere': expected a folder"):
        taught_in(tmp_path / "out", student=StudentSettings(base="nowhere"))
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_lost_stops_the_teaching(tmp_path, tiny_student):
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_student)
    with torch.no_grad():
        model.get_input_embeddings().weight.fill_(float("nan"))
    model.save_pretrained(tmp_path / "base")
    transformers.AutoTokenizer.from_pretrained(tiny_student).save_pretrained(tmp_path / "base")
    with pytest.raises(FloatingPointError, match="loss = nan at step 1: expected a finite number"):
        taught_in(tmp_path / "out", student=StudentSettings(base=str(tmp_path / "base")))


def test_without_accelerate_importing_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    monkeypatch.delitem(sys.modules, "agents.lm.trainer")
    with pytest.raises(ImportError, match=r"pip install 'commonweal\[lm\]'"):
        importlib.import_module("agents.lm.trainer")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("curve", [[1]], r"curve = \[\[1\]\]: expected a list of pairs of step and loss"),
        ("held_out_exact", 2, "held_out_exact = 2: expected a number from 0 to 1, or null"),
        ("num_pairs", None, "num_pairs = None: expected an integer of at least 0"),
        ("student", ..., "student: expected an object, and it is missing"),
    ],
)
def test_a_teaching_file_that_is_wrong_is_named_with_its_key(
    taught_student, tmp_path, key, value, expected
):
    values = json.loads((taught_student.folder / "teaching.json").read_text())
    if value is ...:
        del values[key]
    else:
        values[key] = value
    (tmp_path / "teaching.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match=f"{tmp_path}/teaching.json: {expected}"):
        describe(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_teaching_file_that_is_none_is_named(tmp_path, text):
    if text is not None:
        (tmp_path / "teaching.json").write_text(text)
    with pytest.raises(ValueError, match=f"{tmp_path}/teaching.json: expected"):
        describe(tmp_path)
