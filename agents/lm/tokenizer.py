r"""A tokenizer of one's own, for the text of few games: whole phrases become one token.

Byte-level pair encoding (Sennrich et al. 2016, arXiv:1508.07909), so that any text can be encoded.
Pairs are merged across words, sentences and lines, but never across a run of digits: what a game
always says in the same words is one token, and its numbers stand apart, each after what it is the
number of. So prompts are short and numbers easy to find; what is said in other words is hard to
read (`commonweal reading-table` measures how hard).

A prompt is `<|system|>…<|end|><|user|>…<|end|><|assistant|>`, the answer ends with `<|end|>`.
The chat template writes `< |` for every `<|` within a message, so that nothing that is said can
pass for what stands between messages. Text that is encoded without the template is taken as it is:
there, the spelling of such a token is the token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agents.lm.pairs import Pair

try:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast
except ImportError as error:
    raise ImportError(
        "a tokenizer needs tokenizers and transformers: pip install 'commonweal[lm]'"
    ) from error

PAD, END = "<|pad|>", "<|end|>"
SPECIAL_TOKENS = (PAD, END, "<|system|>", "<|user|>", "<|assistant|>")
"""What stands between messages; the tokens 0 to 4."""

CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] not in ['system', 'user', 'assistant'] -%}
{{- raise_exception('role: expected system, user or assistant') -}}
{%- endif -%}
{{- '<|' + message['role'] + '|>' + message['content'] | replace('<|', '< |') + '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""
"""Messages of any roles in any order, several turns too."""

_PHRASES = r"\d+|[^\d]+"
_MOST_SAMPLED = 3000


def train_tokenizer(pairs: Sequence[Pair], *, vocab_size: int) -> Any:
    """Return a tokenizer for such pairs; the same pairs give the same tokenizer.

    It is trained on at most 3,000 of the pairs, evenly spread, and has at most `vocab_size`
    tokens. Returns a `transformers.PreTrainedTokenizerFast` with a chat template.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PHRASES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL_TOKENS),
        # The alphabet comes in no order of its own.
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sampled_texts(pairs), trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=list(SPECIAL_TOKENS[2:]),
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def _sampled_texts(pairs: Sequence[Pair]) -> list[str]:
    number = min(len(pairs), _MOST_SAMPLED)
    sampled = [pairs[index * len(pairs) // number] for index in range(number)]
    return [text for pair in sampled for text in (*(m.content for m in pair.messages), pair.answer)]
