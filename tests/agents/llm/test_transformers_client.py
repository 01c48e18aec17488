import asyncio
import importlib
import random
import sys
from collections import Counter
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")

from agents.llm import ChatError, ContextLengthError, Message, RequestRefusedError  # noqa: E402
from agents.llm.transformers_client import TransformersClient  # noqa: E402

CONTEXT_TOKENS = 96
PAD, END = 0, 1
SPECIAL = ["<pad>", "<end>", "<system>", "<user>", "<assistant>"]
TEMPLATE = (
    "{% for m in messages %}{{ '<' + m.role + '>' + m.content + '<end>' }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ACTIONS = ("wait", "move", "move on", "harvest")


def question(text="What now?"):
    return (Message("system", "Two places."), Message("user", text))


def byte_tokenizer(eos_token="<end>"):
    """A token for every byte and for what the chat template adds."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*SPECIAL, *alphabet])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token=eos_token,
        additional_special_tokens=SPECIAL[1:],
        chat_template=TEMPLATE,
    )


@pytest.fixture(autouse=True, scope="module")
def one_core():
    """So small a model gains nothing from a second core and waits for it where others use it."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of two small layers whose random weights make some tokens much likelier."""
    path = tmp_path_factory.mktemp("model")
    tokenizer = byte_tokenizer()
    tokenizer.save_pretrained(path)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT_TOKENS,
        initializer_range=0.2,
        pad_token_id=PAD,
        eos_token_id=END,
        bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        transformers.LlamaForCausalLM(config).save_pretrained(path)
    return path


@pytest.fixture
def save_model(folder):
    """Save the model once more, with another tokenizer and other tokens that end answers."""

    def save(path, tokenizer, ends):
        transformers.AutoModelForCausalLM.from_pretrained(folder).save_pretrained(path)
        tokenizer.save_pretrained(path)
        transformers.GenerationConfig(eos_token_id=ends, pad_token_id=PAD).save_pretrained(path)

    return save


@pytest.fixture
def make_client(folder):
    clients = []

    def make(**options):
        clients.append(TransformersClient(folder, **{"max_tokens": 8, "device": "cpu", **options}))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def oracle(folder):
    """Log-probabilities after a prompt and so many letters, whole sequences at a time, (V,)."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()

    def log_probs(messages, answer=""):
        conversation = [{"role": m.role, "content": m.content} for m in messages]
        prompt = tokenizer.apply_chat_template(
            conversation, tokenize=False, add_generation_prompt=True
        )
        tokens = torch.tensor([tokenizer.encode(prompt + answer, add_special_tokens=False)])
        with torch.inference_mode():
            return model(tokens).logits[0].double().log_softmax(-1)

    return log_probs, tokenizer


@pytest.fixture(scope="module")
def choice_log_likelihoods(oracle):
    """Log-likelihoods of whole answers, the token that ends them included."""
    log_probs, tokenizer = oracle

    def score(messages, choices):
        scores = []
        for choice in choices:
            tokens = [*tokenizer.encode(choice, add_special_tokens=False), END]
            logs = log_probs(messages, choice)[-len(tokens) :]
            scores.append(float(sum(logs[i, token] for i, token in enumerate(tokens))))
        return torch.tensor(scores)

    return score


async def asked_together(client, texts, *, form=None):
    return await asyncio.gather(
        *(
            client.complete_async(question(text), seed=seed, form=form)
            for seed, text in enumerate(texts)
        ),
        return_exceptions=True,
    )


def texts_of(client, seeds, *, form=None, messages=None):
    async def ask():
        asked = messages or question()
        return await asyncio.gather(
            *(client.complete_async(asked, seed=seed, form=form) for seed in seeds)
        )

    return [reply.text for reply in asyncio.run(ask())]


@pytest.mark.parametrize("form", [None, {"choice": list(ACTIONS)}])
def test_an_answer_does_not_depend_on_what_is_answered_beside_it(make_client, form):
    texts = ["a", "What would you like to do now?", "", "Now?", "Tell me."]
    together = asyncio.run(asked_together(make_client(max_batch=5), texts, form=form))
    client = make_client(max_batch=1)
    for seed, (text, reply) in enumerate(zip(texts, together, strict=True)):
        alone = client.complete(question(text), seed=seed, form=form)
        assert replace(alone, latency_s=0) == replace(reply, latency_s=0)


def test_short_prompts_are_not_padded_to_a_long_one(make_client, monkeypatch):
    generate, shapes = transformers.GenerationMixin.generate, []

    def noting(self, **asked):
        shapes.append(tuple(asked["input_ids"].shape))
        return generate(self, **asked)

    monkeypatch.setattr(transformers.GenerationMixin, "generate", noting)
    texts = ["a", "b" * 60, "c", "dd", "e" * 58]
    client = make_client(max_batch=5, max_tokens=2)
    together = asyncio.run(asked_together(client, texts))
    lengths = [reply.prompt_tokens for reply in together]
    assert sorted(shapes) == [(2, lengths[1]), (3, lengths[3])]


def test_the_same_seed_gives_the_same_answer_and_others_give_others(make_client):
    client = make_client()
    answers = texts_of(client, range(6))
    assert answers == texts_of(client, range(6))
    assert len(set(answers)) == 6


def test_loading_and_answering_leave_the_global_generator_as_it_was(make_client):
    before = torch.get_rng_state()
    client = make_client()
    client.complete(question(), seed=1)
    client.complete(question(), seed=1, form={"choice": list(ACTIONS)})
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_generator_does_not_change_answers(make_client):
    client = make_client()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first = texts_of(client, [3])
        torch.manual_seed(2)
        assert texts_of(client, [3]) == first


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_tokens_are_drawn_as_often_as_they_are_likely(make_client, oracle, temperature):
    log_probs, tokenizer = oracle
    client = make_client(max_tokens=1, temperature=temperature, max_batch=64)
    likely = (log_probs(question())[-1] / temperature).softmax(-1)
    drawn = Counter(texts_of(client, range(320)))
    shares = Counter()
    for token, share in enumerate(likely.tolist()):
        shares[tokenizer.decode([token], skip_special_tokens=True)] += share
    for text, share in shares.most_common(5):
        assert drawn[text] / 320 == pytest.approx(share, abs=0.06)


def test_top_p_leaves_the_likeliest_tokens_only(make_client, oracle):
    log_probs, tokenizer = oracle
    likely, order = log_probs(question())[-1].exp().sort(descending=True)
    top_p = float(likely[:2].sum() - likely[1] / 2)  # reached in the middle of the second
    drawn = texts_of(make_client(max_tokens=1, top_p=top_p, max_batch=64), range(64))
    assert set(drawn) == {tokenizer.decode([token]) for token in order[:2].tolist()}


def test_at_temperature_zero_the_likeliest_token_is_taken_whatever_the_seed(make_client, oracle):
    log_probs, tokenizer = oracle
    (answer,) = set(texts_of(make_client(temperature=0.0, max_tokens=4), range(4)))
    best = log_probs(question()).argmax(-1)[-1]
    assert answer.startswith(tokenizer.decode([best]))


def test_an_answer_that_is_cut_has_all_its_tokens_counted(make_client, oracle):
    reply = make_client(max_tokens=5).complete(question(), seed=0)
    assert (reply.finish_reason, reply.completion_tokens, reply.form) == ("length", 5, "text")
    assert reply.prompt_tokens == len(oracle[0](question()))
    assert reply.latency_s > 0


def test_an_answer_ends_before_the_first_token_that_ends_answers(save_model, tmp_path):
    tokenizer = byte_tokenizer()
    plain = set(tokenizer.convert_tokens_to_ids([chr(code) for code in range(33, 127)]))
    ends = sorted(set(range(len(tokenizer))) - plain)
    save_model(tmp_path, tokenizer, ends)
    with TransformersClient(tmp_path, max_tokens=9, max_batch=32, device="cpu") as client:
        replies = asyncio.run(asked_together(client, [str(i) for i in range(32)]))
    ended = [reply for reply in replies if reply.finish_reason == "stop"]
    assert len({reply.completion_tokens for reply in ended}) > 2
    for reply in ended:
        assert reply.text.isascii()
        assert reply.completion_tokens == len(reply.text) + 1 <= 9


def test_a_token_that_only_the_tokenizer_ends_answers_with_ends_them_too(
    save_model, tmp_path, oracle
):
    log_probs, tokenizer = oracle
    best = tokenizer.convert_ids_to_tokens(int(log_probs(question())[-1].argmax()))
    save_model(tmp_path, byte_tokenizer(eos_token=best), [PAD])
    with TransformersClient(tmp_path, temperature=0.0, max_tokens=4, device="cpu") as client:
        reply = client.complete(question(), seed=0)
    assert (reply.text, reply.finish_reason, reply.completion_tokens) == ("", "stop", 1)


@pytest.mark.parametrize(("form", "longest"), [(None, 8), ({"choice": list(ACTIONS)}, 8)])
def test_prompt_and_longest_answer_must_fit_and_others_are_answered_all_the_same(
    make_client, oracle, form, longest
):
    spare = CONTEXT_TOKENS - len(oracle[0](question(""))) - longest
    client = make_client(max_tokens=8, max_batch=3)
    texts = ["x" * spare, "x" * (spare + 1), "x"]
    fits, too_long, short = asyncio.run(asked_together(client, texts, form=form))
    assert fits.prompt_tokens == CONTEXT_TOKENS - longest
    assert isinstance(too_long, ContextLengthError)
    assert f"context holds {CONTEXT_TOKENS}" in str(too_long)
    assert too_long.attempts == 0
    assert short.form == ("text" if form is None else "choice")


def test_a_choice_is_one_of_the_choices_and_drawn_as_likely_as_the_model_finds_it(
    make_client, choice_log_likelihoods
):
    choices = ["a", "bc", "b", "d"]
    client = make_client(temperature=4.0, max_batch=64)
    drawn = Counter(texts_of(client, range(320), form={"choice": choices}))
    assert set(drawn) <= set(choices)
    likely = (choice_log_likelihoods(question(), choices) / 4.0).softmax(-1)
    assert sorted(likely)[-2] > 0.1, "a test of one sure choice would show nothing"
    for choice, share in zip(choices, likely.tolist(), strict=True):
        assert drawn[choice] / 320 == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("choices", [ACTIONS, ("move on", "move"), ("x", "y", "zz"), ("", "wait")])
def test_at_temperature_zero_the_likeliest_choice_is_taken(
    make_client, choice_log_likelihoods, choices
):
    texts = ["a", "What would you like to do now?", "", "Now?", "Tell me."]
    client = make_client(temperature=0.0, max_batch=5)
    replies = asyncio.run(asked_together(client, texts, form={"choice": list(choices)}))
    best = [choices[choice_log_likelihoods(question(text), choices).argmax()] for text in texts]
    assert [reply.text for reply in replies] == best


def test_choices_of_many_lengths_are_weighed_right_in_one_batch(
    make_client, choice_log_likelihoods
):
    rng = random.Random(0)

    def some_choices():
        length = rng.randint(1, 6)  # of equal length, so that none is out of the question
        return ["".join(rng.choices("abcdef", k=length)) for _ in range(rng.randint(2, 5))]

    asked = [(question("?" * rng.randint(0, 30)), some_choices()) for _ in range(24)]

    async def ask():
        return await asyncio.gather(
            *(
                client.complete_async(messages, seed=0, form={"choice": choices})
                for messages, choices in asked
            )
        )

    client = make_client(temperature=0.0, max_batch=24)
    best = [
        choices[choice_log_likelihoods(messages, choices).argmax()] for messages, choices in asked
    ]
    assert [reply.text for reply in asyncio.run(ask())] == best


def test_questions_with_and_without_choices_share_a_batch(make_client, choice_log_likelihoods):
    forms = [{"choice": ["x", "yes", "zz"]}, None, {"choice": ["no", "maybe"]}, {"json": {}}]

    async def ask():
        return await asyncio.gather(
            *(client.complete_async(question(), seed=0, form=form) for form in forms)
        )

    client = make_client(temperature=0.0, max_batch=4)
    replies = asyncio.run(ask())
    assert [reply.form for reply in replies] == ["choice", "text", "choice", "text"]
    for form, reply in zip(forms, replies, strict=True):
        if choices := (form or {}).get("choice"):
            assert reply.text == choices[choice_log_likelihoods(question(), choices).argmax()]
            assert reply.completion_tokens == len(reply.text) + 1
            assert reply.finish_reason == "stop"


def test_a_choice_named_twice_is_no_likelier(make_client):
    client = make_client(temperature=4.0)
    twice = texts_of(client, range(20), form={"choice": ["a", "b", "b"]})
    assert twice == texts_of(client, range(20), form={"choice": ["a", "b"]})


def test_no_choice_at_all_is_refused(make_client):
    with pytest.raises(RequestRefusedError, match="choice"):
        make_client().complete(question(), seed=0, form={"choice": []})


def test_what_the_template_cannot_render_fails_its_asker_alone(make_client):
    async def ask():
        return await asyncio.gather(
            client.complete_async(question(), seed=0),
            client.complete_async((Message("user", None),), seed=0),
            return_exceptions=True,
        )

    client = make_client(max_batch=2)
    fine, broken = asyncio.run(ask())
    assert fine.completion_tokens == 8
    assert isinstance(broken, ChatError)


def test_weights_are_of_the_type_asked_for(make_client):
    reply = make_client(dtype="bfloat16", max_tokens=3).complete(question(), seed=0)
    assert reply.completion_tokens == 3


@pytest.mark.parametrize("dtype", ["bfloat17", "nn"])
def test_a_type_of_weights_that_there_is_none_of_is_refused(folder, dtype):
    with pytest.raises(ValueError, match=f"dtype = '{dtype}': expected"):
        TransformersClient(folder, dtype=dtype)


def test_a_folder_that_is_none_is_refused_without_looking_elsewhere(tmp_path):
    with pytest.raises(ValueError, match=r"folder = .*: expected a folder with a saved model"):
        TransformersClient(tmp_path / "nothing")


def test_a_tokenizer_without_a_chat_template_is_refused(folder, tmp_path, oracle):
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="chat template"):
        TransformersClient(tmp_path)


def test_without_transformers_importing_the_client_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    monkeypatch.delitem(sys.modules, "agents.llm.transformers_client")
    with pytest.raises(ImportError, match=r"commonweal\[lm\]"):
        importlib.import_module("agents.llm.transformers_client")
