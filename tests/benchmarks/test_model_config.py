"""Configurations of models: what a file may say, and what is said of a wrong one."""

from __future__ import annotations

import json
import pickle
import re
import tomllib
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.llm import ORDERS, STEPS, STYLES, ChatAgent, StubClient, TextSeat
from benchmarks.checked import ModelConfigError
from benchmarks.model_config import (
    KINDS,
    Budget,
    ClientSpec,
    JudgeSpec,
    ModelsConfig,
    ModelSpec,
    RunSettings,
    Table,
)
from benchmarks.model_file import SECTIONS, load_models, served_model
from cleanup_icn import ConfigError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"

FULL = """
[clients.local]
kind = "openai"
base_urls = ["http://127.0.0.1:8000/v1", "https://gpu.example:443/v1/"]
api_key_env = "MY_SERVER_KEY"
connect_timeout_s = 2
read_timeout_s = 60.5
max_attempts = 3
gpus = 8

[clients.nowhere]
kind = "stub"

[models.llama]
client = "local"
model = "meta-llama/Llama-3.1-8B-Instruct"
temperature = 0.7
top_p = 0.9
max_tokens = 256
context_tokens = 8192
tokenizer = "llama-tokenizer"
system_role = false
structured = "off"
style = "observe-explore-plan"
order = "sheet-first"
max_repairs = 0
max_chars = 400
record_lines = 0
wording = "distracted"
price_per_million_prompt_tokens = 0.1
price_per_million_completion_tokens = 0.4

[models."qwen/2.5_small"]
client = "nowhere"
model = "any"
style = ["plan", "predict"]
price_per_million_prompt_tokens = 0
price_per_million_completion_tokens = 0

[tables.llama]
everyone = "llama"

[tables.mixed]
everyone = "stub-cooperative"
agent_0 = "llama"
"Local Labour Union" = "qwen/2.5_small"

[run]
max_in_flight = 64
max_episodes_in_flight = 256

[budget]
requests = 100000
tokens = 50_000_000
seconds = 3600
money = 20.0

[judge]
model = "llama"
every_steps = 5
"""

SMALL = """
[clients.local]
kind = "openai"
base_urls = ["http://127.0.0.1:8000/v1"]

[models.small]
client = "local"
model = "small"
"""


@pytest.fixture
def load(tmp_path):
    """Load a file that says so."""

    def load(text):
        path = tmp_path / "models.toml"
        path.write_text(text, encoding="utf-8")
        return load_models(path)

    return load


@pytest.fixture
def problems(load):
    """The lines said of a file that is wrong, without the file's name."""

    def problems(text):
        with pytest.raises(ConfigError) as caught:
            load(text)
        lines = str(caught.value).splitlines()
        assert all(re.match(r"\S*models\.toml: ", line) for line in lines)
        return [line.partition("models.toml: ")[2] for line in lines]

    return problems


def with_line(line, *, under="models.small"):
    """SMALL with one more line in one of its tables."""
    if f"[{under}]" not in SMALL:
        return f"{SMALL}\n[{under}]\n{line}\n"
    return SMALL.replace(f"[{under}]", f"[{under}]\n{line}")


# What a file says


def test_a_file_says_where_models_run_how_they_are_asked_and_who_sits_where(load):
    config = load(FULL)
    local = ClientSpec(
        kind="openai",
        base_urls=("http://127.0.0.1:8000/v1", "https://gpu.example:443/v1"),
        api_key_env="MY_SERVER_KEY",
        connect_timeout_s=2.0,
        read_timeout_s=60.5,
        max_attempts=3,
        gpus=8,
    )
    assert config == ModelsConfig(
        models={
            "llama": ModelSpec(
                name="llama",
                client=local,
                model="meta-llama/Llama-3.1-8B-Instruct",
                temperature=0.7,
                top_p=0.9,
                max_tokens=256,
                context_tokens=8192,
                tokenizer="llama-tokenizer",
                system_role=False,
                structured="off",
                style="observe-explore-plan",
                order="sheet-first",
                max_repairs=0,
                max_chars=400,
                record_lines=0,
                wording="distracted",
                price_per_million_prompt_tokens=0.1,
                price_per_million_completion_tokens=0.4,
            ),
            "qwen/2.5_small": ModelSpec(
                name="qwen/2.5_small",
                client=ClientSpec(kind="stub"),
                model="any",
                style=("plan", "predict"),
                price_per_million_prompt_tokens=0.0,
                price_per_million_completion_tokens=0.0,
            ),
        },
        tables=(
            Table(name="llama", everyone="llama"),
            Table(
                name="mixed",
                everyone="stub-cooperative",
                seats={"agent_0": "llama", "Local Labour Union": "qwen/2.5_small"},
            ),
        ),
        run=RunSettings(max_in_flight=64, max_episodes_in_flight=256),
        budget=Budget(requests=100_000, tokens=50_000_000, seconds=3600.0, money=20.0),
        judge=JudgeSpec(model="llama", every_steps=5),
    )


def test_what_a_file_leaves_out_is_as_by_default(load):
    config = load(SMALL)
    client = ClientSpec(kind="openai", base_urls=("http://127.0.0.1:8000/v1",))
    spec = ModelSpec(name="small", client=client, model="small")
    assert config == ModelsConfig(models={"small": spec})
    assert (client.api_key_env, client.max_attempts, spec.max_tokens, spec.max_repairs) == (
        "OPENAI_API_KEY",
        6,
        512,
        1,
    )
    assert (spec.structured, spec.style, spec.order) == ("auto", "direct", "record-first")
    assert config.run == RunSettings(max_in_flight="auto", max_episodes_in_flight=None)
    assert config.budget == Budget()
    assert config.judge is None


def test_without_tables_every_model_gets_one_of_its_own_name(load):
    second = '\n[models.other]\nclient = "local"\nmodel = "small"\n'
    assert load(SMALL + second).tables == (
        Table(name="small", everyone="small"),
        Table(name="other", everyone="other"),
    )


@pytest.mark.parametrize("policy", ["stub-cooperative", "planner", "random", "stubborn"])
def test_policies_of_either_game_share_a_table_with_models(load, policy):
    table = f'\n[tables.t]\neveryone = "{policy}"\np1 = "small"\n'
    assert load(SMALL + table).tables == (Table(name="t", everyone=policy, seats={"p1": "small"}),)


def test_a_configuration_survives_the_way_to_another_process(load):
    config = load(FULL)
    assert pickle.loads(pickle.dumps(config)) == config


# What a wrong file is told


@pytest.mark.parametrize(
    ("line", "under", "told"),
    [
        ('kind = "opnai"', "clients.other", "clients.other.kind = 'opnai': expected one of openai"),
        ("", "clients.other", "clients.other.kind = (missing): expected one of openai"),
        ('kind = "openai"', "clients.other", "clients.other.base_urls = []: expected at least one"),
        ("gpus = 0", "clients.local", "clients.local.gpus = 0: expected an integer of at least 1"),
        ("gpus = true", "clients.local", "clients.local.gpus = True: expected an integer"),
        ("max_attempts = 0", "clients.local", "clients.local.max_attempts = 0: expected an int"),
        ("read_timeout_s = 0", "clients.local", "clients.local.read_timeout_s = 0: expected a num"),
        ("connect_timeout_s = inf", "clients.local", "clients.local.connect_timeout_s = inf: exp"),
        ("temperature = 2.1", "models.small", "models.small.temperature = 2.1: expected a number"),
        ("temperature = nan", "models.small", "models.small.temperature = nan: expected a number"),
        ("top_p = 0", "models.small", "models.small.top_p = 0: expected a number above 0, at most"),
        ("max_tokens = 1.5", "models.small", "models.small.max_tokens = 1.5: expected an integer"),
        ("context_tokens = 512", "models.small", "models.small.context_tokens = 512: expected mor"),
        ("system_role = 1", "models.small", "models.small.system_role = 1: expected true or false"),
        ('structured = "on"', "models.small", "models.small.structured = 'on': expected one of au"),
        ('style = "dircet"', "models.small", "models.small.style = 'dircet': expected one of dir"),
        ('style = ["dance"]', "models.small", "models.small.style = ['dance']: expected one of d"),
        ("style = [1]", "models.small", "models.small.style = [1]: expected one of direct"),
        ('order = "sheet"', "models.small", "models.small.order = 'sheet': expected one of recor"),
        ("max_repairs = -1", "models.small", "models.small.max_repairs = -1: expected an integer"),
        ("max_chars = 0", "models.small", "models.small.max_chars = 0: expected an integer of at"),
        ("record_lines = -1", "models.small", "models.small.record_lines = -1: expected an intege"),
        ('wording = "new"', "models.small", "models.small.wording = 'new': expected one of own"),
        ('tokenizer = ""', "models.small", "models.small.tokenizer = '': expected the folder of"),
        (
            "price_per_million_prompt_tokens = 1",
            "models.small",
            "models.small.price_per_million_completion_tokens = (missing): expected a price too",
        ),
        ('everyone = "smal"', "tables.t", "tables.t.everyone = 'smal': expected one of small, "),
        ('agent_0 = "small"', "tables.t", "tables.t.everyone = (missing): expected the name of"),
        ('everyone = "ppo"', "tables.t", "tables.t.everyone = 'ppo': expected one of small, "),
        ('everyone = "small"\nveto = 3', "tables.t", "tables.t.veto = 3: expected the name of a"),
        ('everyone = "small"\np2 = "x"', "tables.t", "tables.t.p2 = 'x': expected one of small"),
        ('everyone = "small"\n"" = "small"', "tables.t", "tables.t. = 'small': expected the name"),
        ('everyone = "small"', "tables.random", "models or tables = 'random': expected another na"),
        ('everyone = "small"', "tables.ppo", "models or tables = 'ppo': expected another name"),
        ('everyone = "small"', 'tables."a b"', "name in [tables] = 'a b': expected letters, digi"),
        ('kind = "stub"', 'clients."../x"', "name in [clients] = '../x': expected letters"),
        ('max_in_flight = "all"', "run", "run.max_in_flight = 'all': expected \"auto\" or an int"),
        ("max_in_flight = 0", "run", 'run.max_in_flight = 0: expected "auto" or an integer of at'),
        ("max_episodes_in_flight = 0", "run", "run.max_episodes_in_flight = 0: expected an integ"),
        ("tokens = 0", "budget", "budget.tokens = 0: expected an integer of at least 1"),
        ("seconds = -1", "budget", "budget.seconds = -1: expected a number above 0"),
        ("money = 20", "budget", "budget.money = 20.0: expected prices of all models, and small "),
        ('model = "other"', "judge", "judge.model = 'other': expected one of small"),
        ("every_steps = 5", "judge", "judge.model = (missing): expected the name of a model"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_is_allowed(problems, line, under, told):
    (said,) = problems(with_line(line, under=under))
    assert said.startswith(told)


@pytest.mark.parametrize(
    ("line", "under", "meant"),
    [
        ("temprature = 0.7", "models.small", "temperature"),
        ('base_url = "http://127.0.0.1:8000/v1"', "clients.local", "base_urls"),
        ("every_step = 5", "judge", "every_steps"),
        ("token = 5", "budget", "tokens"),
    ],
)
def test_an_unknown_key_is_told_the_nearest_known_one(problems, line, under, meant):
    first, *_ = problems(with_line(line, under=under))
    key = line.partition(" ")[0]
    assert first.startswith(f"key in [{under}] = '{key}': expected one of ")
    assert first.endswith(f"; did you mean {meant}?")


def test_an_unknown_section_is_told_the_nearest_known_one(problems):
    (said,) = problems(SMALL + "\n[budgets]\ntokens = 5\n")
    assert said == (
        f"key in the file = 'budgets': expected one of {', '.join(SECTIONS)}; did you mean budget?"
    )


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_is_no_table_is_refused(problems, section):
    assert any(said.startswith(f"{section} = 3: ") for said in problems(f"{section} = 3\n"))


def test_a_model_names_a_client_that_there_is(problems):
    (said,) = problems(SMALL.replace('client = "local"', 'client = "locl"'))
    assert said == "models.small.client = 'locl': expected one of local; did you mean local?"


def test_a_model_says_its_client_and_its_name(problems):
    assert problems("[models.small]\n") == [
        "models.small.client = (missing): expected the name of a [clients.NAME]",
        "models.small.model = (missing): expected the name under which it is served, or its folder",
    ]


def test_a_file_without_models_is_refused(problems):
    (said,) = problems("")
    assert said == "models = {}: expected at least one model"


@pytest.mark.parametrize("kind", ["vllm", "transformers"])
@pytest.mark.parametrize("line", ['base_urls = ["http://h/v1"]', "max_attempts = 2"])
def test_a_setting_that_would_have_no_effect_is_refused(problems, kind, line):
    text = f'[clients.here]\nkind = "{kind}"\n{line}\n[models.m]\nclient = "here"\nmodel = "m"\n'
    (said,) = problems(text)
    assert said.startswith(f"clients.here.{line.partition(' ')[0]} = ")
    assert said.endswith(f"expected nothing: kind {kind} asks no server")


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("vllm", "system_role = false"),
        ("vllm", 'tokenizer = "t"'),
        ("transformers", "context_tokens = 4096"),
    ],
)
def test_a_setting_that_a_kind_does_not_have_is_refused(problems, kind, line):
    text = f'[clients.here]\nkind = "{kind}"\n[models.m]\nclient = "here"\nmodel = "m"\n{line}\n'
    (said,) = problems(text)
    assert said.endswith(f"expected nothing: kind {kind} has no such setting")


def test_a_dry_run_leaves_a_file_as_it_is_but_for_the_kind(load):
    dry = load(FULL.replace('kind = "openai"', 'kind = "stub"'))
    assert dry.models["llama"].client.kind == "stub"
    assert dry.models["llama"].tokenizer == "llama-tokenizer"


def test_all_that_is_wrong_is_said_at_once(problems):
    wrong = (
        SMALL.replace('kind = "openai"', 'kind = "opnai"\ngpus = 0')
        .replace('model = "small"', "max_tokens = 0\ntemprature = 1")
        .replace("[models.small]", "[models.planner]")
    )
    said = problems(wrong + '\n[tables.t]\neveryone = "nobody"\n[judge]\nmodel = "no"\n[x]\n')
    named = [line.partition(":")[0] for line in said]
    assert named == [
        "key in the file = 'x'",
        "clients.local.kind = 'opnai'",
        "clients.local.gpus = 0",
        "key in [models.planner] = 'temprature'",
        "models.planner.model = (missing)",
        "models.planner.max_tokens = 0",
        "models or tables = 'planner'",
        "tables.t.everyone = 'nobody'",
        "judge.model = 'no'",
    ]


def test_every_problem_can_be_had_by_itself(load):
    with pytest.raises(ModelConfigError) as caught:
        load(with_line("max_tokens = 0\ntop_p = 0"))
    found = [(p.name.partition(": ")[2], p.value) for p in caught.value.problems]
    assert found == [("models.small.top_p", 0), ("models.small.max_tokens", 0)]
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)


def test_what_is_no_toml_is_told_where(load):
    with pytest.raises(ConfigError, match=r"models file = .*models\.toml.*at line 2"):
        load("[run]\nmax_in_flight = many\n")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml.*No such file"):
        load_models(tmp_path / "nowhere.toml")


words = st.text(alphabet="abcxyz-_. /:@", max_size=8)
values = st.one_of(
    st.booleans(),
    st.integers(-3, 2000),
    st.floats(-1.0, 3.0),
    words,
    st.sampled_from([*KINDS, *STYLES, *ORDERS, "local", "small", "planner", "auto"]),
    st.lists(st.one_of(words, st.sampled_from(STEPS)), max_size=3),
)
KEYS = sorted(set(re.findall(r"^(\w+) =", FULL, re.MULTILINE)))
lines = st.dictionaries(st.one_of(st.sampled_from(KEYS), st.just("agent_1")), values, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    more=st.dictionaries(
        st.sampled_from(["clients.b", "models.b", "tables.b", "run", "budget", "judge"]), lines
    )
)
def test_a_file_is_loaded_whole_or_refused_with_reasons(tmp_path, more):
    path = tmp_path / "any.toml"
    tables = (
        f"\n[{where}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
        for where, said in more.items()
    )
    path.write_text(SMALL + "".join(tables), encoding="utf-8")
    problems = ()
    try:
        config = load_models(path)
    except ModelConfigError as error:
        config, problems = None, error.problems
    assert bool(problems) == (config is None)
    assert all(str(problem).startswith(f"{path}: ") for problem in problems)
    if config is not None:
        assert load_models(path).to_dict() == json.loads(json.dumps(config.to_dict()))
        assert set(config.models) <= {"small", "b"}


# Secrets

SECRETS = [
    "sk-proj-abcdefghijkl0123456789",
    "sk_live_abcdefghijkl",
    "hf_abcdefghijklmnop",
    "AKIAIOSFODNN7EXAMPLE",
    "QWERTYUIOPASDFGHJKLZ",
    "A1B2_C3D4_E5F6_A7B8",
    "3f786850e387550fdab836ed7e6dc881",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_in_the_place_of_its_variables_name_is_refused_and_not_shown(problems, secret):
    (said,) = problems(with_line(f'api_key_env = "{secret}"', under="clients.local"))
    assert said == (
        "clients.local.api_key_env = (not shown): expected the name of an environment variable, "
        "such as OPENAI_API_KEY, never the key itself"
    )


@pytest.mark.parametrize(
    "line",
    [
        'api_key = "hunter2"',
        'api_key_env = ["hunter2"]',
        'base_urls = ["http://me:hunter2@h/v1"]',
        'base_urls = ["http://me:hun@hunter2@h/v1"]',
        'base_urls = "hunter2@h/v1"',
        'base_urls = ["https://h/v1?key=hunter2"]',
        'base_urls = ["https://h/v1#hunter2"]',
        'base_urls = {url = "http://me:hunter2@h/v1"}',
    ],
)
def test_what_may_be_a_secret_is_in_no_message(problems, line):
    text = SMALL.replace('base_urls = ["http://127.0.0.1:8000/v1"]', "")
    if not line.startswith("base_urls"):
        line += '\nbase_urls = ["http://127.0.0.1:8000/v1"]'
    said = problems(text.replace('kind = "openai"', f'kind = "openai"\n{line}'))
    assert said
    assert "hunter2" not in "\n".join(said)


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "KEY", "LAB_2_KEY", "MISTRAL_KEY_2026"])
def test_names_of_variables_are_taken_as_such(load, name):
    config = load(with_line(f'api_key_env = "{name}"', under="clients.local"))
    assert config.models["small"].client.api_key_env == name


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000/v1", "ftp://h/v1", "http://", "http://h:port/v1", "http://h/v1\n"]
)
def test_a_server_is_given_by_a_url(url):
    with pytest.raises(ConfigError, match=r"base_urls = .*: expected a list of URLs such as"):
        ClientSpec(kind="openai", base_urls=(url,))


# What goes into a run's record


def test_a_record_holds_all_settings_but_where_the_key_is(load):
    told = load(FULL).to_dict()
    assert json.loads(json.dumps(told)) == told
    client = told["models"]["llama"]["client"]
    assert client["base_urls"] == ["http://127.0.0.1:8000/v1", "https://gpu.example:443/v1"]
    assert told["models"]["qwen/2.5_small"]["style"] == ["plan", "predict"]
    assert told["tables"][1] == {
        "name": "mixed",
        "everyone": "stub-cooperative",
        "seats": {"agent_0": "llama", "Local Labour Union": "qwen/2.5_small"},
    }
    assert "MY_SERVER_KEY" not in json.dumps(told)


def test_a_recorded_model_can_be_made_again_without_its_server(load):
    config = load(FULL)
    for name, told in json.loads(json.dumps(config.to_dict()))["models"].items():
        client = config.models[name].client
        assert ModelSpec(**{**told, "client": client}) == config.models[name]


def test_a_number_is_recorded_alike_however_it_is_written(load):
    one, other = load(with_line("temperature = 1")), load(with_line("temperature = 1.0"))
    assert json.dumps(one.to_dict()) == json.dumps(other.to_dict())


@pytest.mark.parametrize(
    "change",
    [
        {"model": "other"},
        {"temperature": 0.5},
        {"max_tokens": 100},
        {"style": "social"},
        {"structured": "off"},
        {"order": "sheet-first"},
        {"max_repairs": 0},
        {"max_chars": 50},
        {"record_lines": 0},
        {"wording": "reordered"},
        {"system_role": False},
    ],
)
def test_another_setting_gives_another_record(load, change):
    config = load(SMALL)
    changed = replace(config, models={"small": replace(config.models["small"], **change)})
    assert changed.to_dict() != config.to_dict()


# What follows for the agent


def test_a_specification_has_the_options_of_its_agents():
    spec = ModelSpec(
        name="m",
        client=ClientSpec(kind="stub"),
        model="m",
        style=["plan"],
        order="sheet-first",
        structured="off",
        max_repairs=0,
        max_chars=7,
        record_lines=3,
    )
    assert spec.agent_options() == {
        "style": ("plan",),
        "order": "sheet-first",
        "structured": False,
        "max_repairs": 0,
        "max_chars": 7,
        "record_lines": 3,
    }
    client = StubClient(lambda text, rng: "Action: wait")
    ChatAgent(client, TextSeat(parse=lambda answer: answer), **spec.agent_options())


@given(max_tokens=st.integers(200, 5000))
def test_free_words_leave_room_for_what_an_answer_must_hold(max_tokens):
    spec = ModelSpec(name="m", client=ClientSpec(kind="stub"), model="m", max_tokens=max_tokens)
    # A clause takes up to 64 tokens, what is around it 48; there is one for each 250 characters.
    clauses = max(1, spec.free_chars // 250)
    assert spec.free_chars + 48 + 64 * clauses <= max_tokens
    assert spec.free_chars >= max_tokens // 4


def test_the_room_for_free_words_follows_a_change_of_the_longest_answer():
    spec = ModelSpec(name="m", client=ClientSpec(kind="stub"), model="m")
    assert spec.free_chars == 400
    assert replace(spec, max_tokens=212).free_chars == 100
    assert replace(spec, max_tokens=1).free_chars > 0


# The short way


def test_a_served_model_needs_its_url_and_its_name(load):
    short = served_model(base_urls=["http://127.0.0.1:8000/v1"], model="small")
    assert short == load(SMALL)


def test_the_short_way_takes_what_it_is_given():
    config = served_model(
        base_urls=["http://a:1/v1", "http://b:1/v1"],
        model="small",
        max_tokens=64,
        temperature=0,
        style="social",
        structured="off",
        record_lines=0,
        max_in_flight=7,
    )
    spec = config.models["small"]
    assert spec.client.base_urls == ("http://a:1/v1", "http://b:1/v1")
    assert (spec.max_tokens, spec.temperature, spec.style) == (64, 0.0, "social")
    assert (spec.structured, config.run.max_in_flight, spec.record_lines) == ("off", 7, 0)


@pytest.mark.parametrize(
    ("model", "name"),
    [("org/m", "org/m"), ("/models/llama", "models/llama"), ("qwen2.5:7b", "qwen2.5-7b")],
)
def test_the_row_of_a_served_model_has_its_name(model, name):
    config = served_model(base_urls=["http://h/v1"], model=model)
    assert config.models[name].model == model
    assert config.tables == (Table(name=name, everyone=name),)


def test_the_short_way_says_all_that_is_wrong_with_it():
    with pytest.raises(ModelConfigError) as caught:
        served_model(base_urls=[], model="m", max_tokens=0, max_in_flight=0)
    assert [problem.name for problem in caught.value.problems] == [
        "clients.served.base_urls",
        "models.m.max_tokens",
        "run.max_in_flight",
    ]


def test_a_served_model_cannot_be_named_as_a_policy_is():
    with pytest.raises(ConfigError, match="'random': expected another name"):
        served_model(base_urls=["http://h/v1"], model="random")


# The page


TOML_BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", TOML_BLOCKS)
def test_a_file_shown_on_the_page_can_be_loaded(load, block):
    assert load(block).models


def test_the_page_shows_every_key_there_is():
    parts = (ClientSpec, ModelSpec, RunSettings, Budget, JudgeSpec)
    shown = tomllib.loads(TOML_BLOCKS[0])
    for part, table in zip(
        parts,
        (
            shown["clients"]["local"],
            shown["models"]["llama"],
            shown["run"],
            shown["budget"],
            shown["judge"],
        ),
        strict=True,
    ):
        assert list(table) == [f.name for f in fields(part) if f.name != "name"]


def test_what_the_page_says_to_be_a_default_is_one():
    table = None
    defaults = {}
    for line in TOML_BLOCKS[0].splitlines():
        if line.startswith("["):
            table = line.partition("]")[0].strip("[").partition(".")[0]
        elif line.partition("#")[2].endswith("default"):
            defaults[line.partition(" ")[0]] = (table, tomllib.loads(line))
    parts = {"clients": ClientSpec, "models": ModelSpec}
    assert len(defaults) >= 6
    for key, (section, written) in defaults.items():
        (default,) = (f.default for f in fields(parts[section]) if f.name == key)
        assert written == {key: default}


def test_the_page_lists_every_style_with_its_steps():
    text = PAGE.read_text("utf-8")
    for style, steps in STYLES.items():
        told = ", ".join(f"`{step}`" for step in steps) or "none"
        assert f"| `{style}` | {told} |" in text
    assert all(f"`{step}`" in text for step in STEPS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_lists_every_kind_of_client(kind):
    assert f"\n| `{kind}` | " in PAGE.read_text("utf-8")
