"""Clients made of specifications, and what answers cost."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from types import ModuleType

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import Call, Usage
from agents.llm import ChatError, ChatReply, Message
from benchmarks.clients import DryRunClient, check_served, make_client, make_clients, money
from benchmarks.instant_server import CHAT_PATH, InstantServer, error
from benchmarks.model_config import ClientSpec, ModelSpec
from cleanup_icn import ConfigError

ASKED = (Message("system", "Rules."), Message("user", "What now?"))
SERVER = ClientSpec(kind="openai", base_urls=("http://127.0.0.1:9/v1",))


def a_model(client=None, **settings):
    return ModelSpec(
        **{"name": "m", "model": "small", "client": client or ClientSpec(kind="stub"), **settings}
    )


@pytest.fixture
def made_with(monkeypatch):
    """Put a class of that name in the place of a client; returns what it was made with."""

    def stand_in(module, name):
        made = []

        class Client:
            def __init__(self, *arguments, **settings):
                made.append((arguments, settings))

        fake = ModuleType(module)
        setattr(fake, name, Client)
        monkeypatch.setitem(sys.modules, module, fake)
        return made

    return stand_in


@pytest.fixture
def model_folder(tmp_path):
    """A folder that looks like one with a model."""
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    return str(tmp_path)


# Each kind is given what the specification says


def test_a_server_is_asked_as_the_specification_says(made_with):
    made = made_with("agents.llm.openai_client", "OpenAIClient")
    client = replace(
        SERVER, api_key_env="LAB_KEY", connect_timeout_s=1.0, read_timeout_s=9.0, max_attempts=2
    )
    spec = a_model(
        client,
        temperature=0.5,
        top_p=0.9,
        max_tokens=64,
        structured="off",
        context_tokens=4096,
        tokenizer="folder",
        system_role=False,
    )
    make_client(spec)
    assert made == [
        (
            (),
            {
                "model": "small",
                "base_urls": ("http://127.0.0.1:9/v1",),
                "temperature": 0.5,
                "top_p": 0.9,
                "max_tokens": 64,
                "api_key_env": "LAB_KEY",
                "connect_timeout_s": 1.0,
                "read_timeout_s": 9.0,
                "max_attempts": 2,
                "structured": "off",
                "context_tokens": 4096,
                "tokenizer": "folder",
                "system_role": False,
            },
        )
    ]


def test_a_client_of_a_server_is_made_without_asking_it():
    pytest.importorskip("openai")
    from agents.llm.openai_client import OpenAIClient

    client = make_client(a_model(SERVER))
    assert isinstance(client, OpenAIClient)
    client.close()


def test_an_engine_in_process_is_made_for_context_and_gpus(made_with, model_folder):
    made = made_with("agents.llm.vllm_engine", "VLLMEngineClient")
    spec = a_model(
        ClientSpec(kind="vllm", gpus=2),
        model=model_folder,
        temperature=0.5,
        max_tokens=64,
        context_tokens=4096,
        structured="off",
    )
    make_client(spec)
    settings = {"temperature": 0.5, "top_p": 1.0, "max_tokens": 64, "structured": False}
    engine = {"max_model_len": 4096, "tensor_parallel_size": 2}
    assert made == [((model_folder,), settings | engine)]


def test_an_engine_is_left_its_own_defaults(made_with):
    made = made_with("agents.llm.vllm_engine", "VLLMEngineClient")
    make_client(a_model(ClientSpec(kind="vllm"), model="org/model"))
    ((_, settings),) = made
    assert settings == {"temperature": 1.0, "top_p": 1.0, "max_tokens": 512, "structured": True}


def test_a_transformers_model_is_loaded_from_its_folder(made_with, model_folder):
    made = made_with("agents.llm.transformers_client", "TransformersClient")
    make_client(a_model(ClientSpec(kind="transformers"), model=model_folder, max_tokens=64))
    settings = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 64}
    assert made == [((model_folder,), settings)]


# What is missing is said in one line


@pytest.mark.parametrize(
    ("kind", "package", "extra"),
    [
        ("openai", "openai", "llm"),
        ("vllm", "vllm", "vllm"),
        ("transformers", "transformers", "lm"),
    ],
)
def test_what_is_not_installed_is_named_with_how_to_install_it(
    monkeypatch, model_folder, kind, package, extra
):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "agents.llm.transformers_client", raising=False)
    client = SERVER if kind == "openai" else ClientSpec(kind=kind)
    with pytest.raises(ConfigError) as caught:
        make_client(a_model(client, model=model_folder))
    (line,) = str(caught.value).splitlines()
    assert line.startswith("model m = ")
    assert f"pip install 'commonweal[{extra}]'" in line


@pytest.mark.parametrize("kind", ["vllm", "transformers"])
def test_a_folder_without_a_model_is_refused_before_anything_is_loaded(made_with, tmp_path, kind):
    engines = made_with("agents.llm.vllm_engine", "VLLMEngineClient")
    models = made_with("agents.llm.transformers_client", "TransformersClient")
    with pytest.raises(ConfigError, match=r"expected a folder with a model.* config\.json"):
        make_client(a_model(ClientSpec(kind=kind), model=str(tmp_path)))
    assert not engines + models


def test_transformers_fetch_no_model_by_its_name(made_with, monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    made = made_with("agents.llm.transformers_client", "TransformersClient")
    with pytest.raises(ConfigError, match="expected a folder that exists"):
        make_client(a_model(ClientSpec(kind="transformers"), model="org/model"))
    assert not made


def test_a_tokenizer_that_is_not_there_is_refused(tmp_path):
    pytest.importorskip("openai")
    pytest.importorskip("tokenizers")
    with pytest.raises(ConfigError, match=r"model m = 'small': .*tokenizer"):
        make_client(a_model(SERVER, tokenizer=str(tmp_path / "nowhere")))


# Sharing


def test_models_that_are_only_asked_differently_share_a_client():
    direct = a_model()
    others = {
        "style": {"style": "social"},
        "order": {"order": "sheet-first"},
        "repairs": {"max_repairs": 0},
        "chars": {"max_chars": 10},
        "record": {"record_lines": 0},
        "wording": {"wording": "synonyms"},
        "structured": {"structured": "off"},
        "price": {
            "price_per_million_prompt_tokens": 1.0,
            "price_per_million_completion_tokens": 1.0,
        },
    }
    models = {name: replace(direct, name=name, **other) for name, other in others.items()}
    clients = make_clients({"direct": direct, **models})
    assert list(clients) == ["direct", *others]
    assert len({id(client) for client in clients.values()}) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"model": "large"},
        {"temperature": 0.5},
        {"top_p": 0.5},
        {"max_tokens": 64},
        {"context_tokens": 4096},
        {"tokenizer": "folder"},
        {"system_role": False},
        {"client": ClientSpec(kind="stub", gpus=1)},
    ],
)
def test_models_that_are_sampled_or_reached_differently_do_not(other):
    one = a_model()
    clients = make_clients({"one": one, "other": replace(one, name="other", **other)})
    assert clients["one"] is not clients["other"]


@pytest.mark.parametrize("order", [("off", "auto"), ("auto", "off"), ("off", "off")])
def test_a_shared_client_can_hold_answers_if_one_of_its_models_wants_that(
    made_with, model_folder, order
):
    engines = made_with("agents.llm.vllm_engine", "VLLMEngineClient")
    servers = made_with("agents.llm.openai_client", "OpenAIClient")
    for client in (ClientSpec(kind="vllm"), SERVER):
        models = {
            str(number): a_model(client, model=model_folder, structured=structured)
            for number, structured in enumerate(order)
        }
        shared = make_clients(models)
        assert list(shared) == ["0", "1"]
        assert shared["0"] is shared["1"]
    assert [made["structured"] for _, made in engines] == ["auto" in order]
    assert [made["structured"] for _, made in servers] == ["auto" if "auto" in order else "off"]


# A server that is asked before a run


class OnlyChats(InstantServer):
    """A server without a list of its models."""

    async def respond(self, request):
        if request.path == "/v1/models":
            return error(404, "no such page")
        return await super().respond(request)


def test_a_server_without_a_list_of_models_can_be_played_with():
    pytest.importorskip("openai")
    with OnlyChats() as server:
        client = ClientSpec(kind="openai", base_urls=(server.base_url,))
        check_served({"m": a_model(client, model="instant")})
        assert server.counts[CHAT_PATH] == 1
        with pytest.raises(ChatError, match="`large` does not exist"):
            check_served({"m": a_model(client, model="large")})


def test_a_model_that_is_not_served_is_refused_with_those_that_are():
    pytest.importorskip("openai")
    with InstantServer() as server:
        client = ClientSpec(kind="openai", base_urls=(server.base_url,))
        with pytest.raises(ConfigError, match=r"model m = 'large': .* serves: instant"):
            check_served({"m": a_model(client, model="large")})


# A dry run


def test_a_dry_run_draws_from_the_choices_and_says_so():
    client = make_client(a_model())
    choices = ["Action: wait", "Action: move", "Action: clean"]
    replies = [client.complete(ASKED, seed=s, form={"choice": choices}) for s in range(50)]
    assert {reply.text for reply in replies} == set(choices)
    assert {reply.form for reply in replies} == {"choice"}


def test_a_dry_run_writes_json_of_the_form_asked_for():
    schema = {
        "type": "object",
        "properties": {
            "action": {"enum": ["accept", "reject"]},
            "rate": {"type": "number", "minimum": 0, "maximum": 2},
        },
        "required": ["action", "rate"],
        "additionalProperties": False,
    }
    reply = DryRunClient().complete(ASKED, seed=1, form={"json": schema})
    jsonschema.validate(json.loads(reply.text), schema)
    assert reply.form == "json"


def test_a_dry_run_waits_where_answers_are_free():
    reply = DryRunClient().complete(ASKED, seed=1)
    assert (reply.text, reply.form) == ("Action: wait", "text")
    assert reply.prompt_tokens > 0


@given(seed=st.integers(0, 2**32 - 1), words=st.text(max_size=20))
def test_a_dry_run_repeats_itself(seed, words):
    client = DryRunClient()
    form = {"choice": [str(number) for number in range(100)]}
    asked = (Message("user", words),)
    first = client.complete(asked, seed=seed, form=form)
    assert asyncio.run(client.complete_async(asked, seed=seed, form=form)) == first


# Money


def test_tokens_cost_what_the_specification_says():
    spec = a_model(price_per_million_prompt_tokens=0.5, price_per_million_completion_tokens=2.0)
    tokens = {"prompt_tokens": 3_000_000, "completion_tokens": 250_000}
    assert money(Usage(**tokens), spec) == pytest.approx(2.0)
    assert money(Call(text="", status="ok", **tokens), spec) == pytest.approx(2.0)
    reply = ChatReply(text="", latency_s=0.0, finish_reason="stop", **tokens)
    assert money(reply, spec) == pytest.approx(2.0)


def test_what_has_no_price_costs_nobody_knows_what():
    assert money(Usage(prompt_tokens=10), a_model()) is None


def test_what_is_free_costs_nothing():
    free = a_model(price_per_million_prompt_tokens=0, price_per_million_completion_tokens=0)
    assert money(Usage(prompt_tokens=10, completion_tokens=10), free) == 0.0
