from dataclasses import replace

import numpy as np
import pytest
import torch
from deal_game import DEALS, ISSUES, NUM_OPTIONS, DealGame, layout
from sb3_contrib import MaskablePPO

from agents.ppo import BatchVecEnv, MaskedPolicy, PPOAgent, PPOSettings, play_episodes, train
from agents.ppo.checkpoint import new_model

SETTINGS = PPOSettings(
    total_agent_steps=64 * 16 * 40,
    num_lanes=64,
    n_steps=16,
    batch_size=512,
    learning_rate=1e-2,
    ent_coef=0.0,
    reward_scale=1.0,
    evaluate_every_rollouts=20,
)
HELD_OUT = np.arange(500)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    out = tmp_path_factory.mktemp("learned")
    return train(DealGame(64), SETTINGS, seed=0, out=out, scoring=layout())


def regret_of(policy):
    """What its likeliest action earns less than the best one, on average over held-out deals."""
    game = DealGame(len(HELD_OUT))
    played = play_episodes(game, policy, seeds=HELD_OUT, action_seed=0, deterministic=True)
    game.reset(HELD_OUT)
    return float((game.payoffs().max(axis=1) - played.returns[:, 0]).mean())


def sb3_policy(checkpoint):
    return MaskablePPO.load(checkpoint, device="cpu").policy


def observations(num_rows, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((num_rows, DealGame.observation_size)).astype(np.float32)


def test_what_is_learned_of_some_deals_holds_for_all(learned):
    game = DealGame(len(HELD_OUT))
    game.reset(HELD_OUT)
    of_chance = (game.payoffs().max(axis=1) - game.payoffs().mean(axis=1)).mean()
    assert of_chance > 0.7
    assert regret_of(learned.policy) < 0.1 * of_chance


def test_numpy_gives_the_distribution_and_values_that_were_trained(learned):
    policy, seen = sb3_policy(learned.checkpoint), observations(1500)
    masks = np.random.default_rng(1).random((1500, len(DEALS))) < 0.6
    masks[:, 5] = True
    with torch.no_grad():
        expected = policy.get_distribution(torch.as_tensor(seen), action_masks=masks)
        values = policy.predict_values(torch.as_tensor(seen))[:, 0]
    given = learned.policy.probabilities(seen, masks)
    np.testing.assert_allclose(given, expected.distribution.probs.numpy(), atol=1e-4)
    np.testing.assert_allclose(learned.policy.values(seen), values.numpy(), atol=1e-4)
    assert given.max() > 0.5


def test_one_observation_is_judged_as_in_a_batch(learned):
    seen = observations(40).reshape(8, 5, -1)
    together = learned.policy.probabilities(seen)
    assert together.shape == (8, 5, len(DEALS))
    np.testing.assert_allclose(learned.policy.probabilities(seen[3, 2]), together[3, 2], atol=1e-5)
    np.testing.assert_allclose(
        learned.policy.values(seen[3, 2]), learned.policy.values(seen)[3, 2], atol=1e-4
    )


def test_a_checkpoint_plays_like_the_policy_it_keeps(learned):
    loaded, kept = PPOAgent.load(learned.checkpoint), PPOAgent(learned.policy)
    loaded.reset(seed=2)
    kept.reset(seed=2)
    seen = observations(50)
    assert np.array_equal(loaded.act_batch(seen), kept.act_batch(seen))
    reloaded = MaskedPolicy.load(learned.checkpoint)
    assert (reloaded.num_observed, reloaded.num_actions) == (len(seen[0]), len(DEALS))


def test_the_critic_knows_what_the_policy_will_earn(learned):
    game = DealGame(len(HELD_OUT))
    observation, _ = game.reset(HELD_OUT)
    played = play_episodes(game, learned.policy, seeds=HELD_OUT, action_seed=0)
    values = learned.policy.values(observation[:, 0])
    assert np.corrcoef(values, played.returns[:, 0])[0, 1] > 0.8


def test_gradients_do_not_depend_on_judging_in_blocks():
    rows = BatchVecEnv(DealGame(2))
    policy = new_model(rows, SETTINGS, seed=0, scoring=layout()).policy
    scorer, seen = policy.mlp_extractor.scorer, torch.as_tensor(observations(1500))
    logits, _ = scorer(seen)
    assert len(seen) > 2 * scorer.layout.block_rows
    logits.square().mean().backward()
    in_blocks = [parameter.grad.clone() for parameter in scorer.parameters()]
    policy.zero_grad()
    scorer._judge(seen)[0].square().mean().backward()
    whole = [parameter.grad for parameter in scorer.parameters()]
    for one, other in zip(in_blocks, whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def judged(seen, **changes):
    """Probabilities of a policy that has learned nothing, with logits large enough to tell."""
    rows = BatchVecEnv(DealGame(2))
    model = new_model(rows, SETTINGS, seed=0, scoring=layout(**changes))
    for layer in model.policy.mlp_extractor.scorer.linear:
        layer.weight.data.normal_(0.0, 1.0, generator=torch.Generator().manual_seed(1))
    return MaskedPolicy.from_sb3(model.policy).probabilities(seen)


def test_parties_of_a_group_are_alike():
    seen = observations(20)
    own, first, second = np.split(seen[:, 1:], 3, axis=1)
    swapped = np.concatenate([seen[:, :1], own, second, first], axis=1)
    alike = {"groups": ((1 + NUM_OPTIONS, 1 + 2 * NUM_OPTIONS),)}
    np.testing.assert_allclose(judged(seen, **alike), judged(swapped, **alike), atol=1e-5)
    assert not np.allclose(judged(seen), judged(swapped), atol=1e-3)


def test_deals_with_equal_features_are_equally_likely():
    seen = observations(20)
    slices = seen[:, 1:].reshape(20, 3, NUM_OPTIONS)
    slices[:, :, 1] = slices[:, :, 0]
    probabilities = judged(seen)
    contains = {tuple(deal): row for row, deal in enumerate(DEALS) if row}
    for deal, row in contains.items():
        if deal[0]:
            twin = contains[(0, 1, *deal[2:])]
            np.testing.assert_allclose(probabilities[:, row], probabilities[:, twin], rtol=1e-4)
    assert np.ptp(probabilities[:, 1:]) > 0.05


def test_a_special_action_depends_on_the_scalars_alone():
    model = new_model(BatchVecEnv(DealGame(2)), SETTINGS, seed=0, scoring=layout())
    scorer = model.policy.mlp_extractor.scorer
    torch.nn.init.constant_(scorer.special.weight, 3.0)
    torch.nn.init.constant_(scorer.special.bias, 0.5)
    seen = observations(30)
    logits = scorer.to_numpy().logits(seen)
    np.testing.assert_allclose(logits[:, 0], 3 * seen[:, 0] + 0.5, rtol=1e-5)


def test_expected_features_are_those_of_the_likely_deals():
    model = new_model(BatchVecEnv(DealGame(2)), SETTINGS, seed=0, scoring=layout())
    scorer = model.policy.mlp_extractor.scorer
    with torch.no_grad():
        for parameter in scorer.parameters():
            parameter.zero_()
    seen = observations(4)
    own, first, second = np.split(seen[:, 1:], 3, axis=1)
    means = [other @ DEALS[1:].T / len(ISSUES) for other in (first, second)]
    features = [
        own @ DEALS[1:].T,
        np.mean(means, axis=0),
        np.min(means, axis=0),
        means[0],
    ]
    expected = np.stack([feature.mean(axis=1) for feature in features], axis=1)
    in_torch = scorer(torch.as_tensor(seen))[1]
    for given in (scorer.to_numpy().expected_features(seen), in_torch):
        np.testing.assert_allclose(given, expected, rtol=1e-4)


def test_before_training_all_actions_are_about_equally_likely():
    model = new_model(BatchVecEnv(DealGame(2)), SETTINGS, seed=0, scoring=layout())
    probabilities = MaskedPolicy.from_sb3(model.policy).probabilities(observations(50))
    np.testing.assert_allclose(probabilities, 1 / len(DEALS), rtol=0.05)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": DEALS[0]}, r"options of shape \(8,\): expected a 0/1 matrix"),
        ({"options": DEALS * 2}, "expected a 0/1 matrix"),
        ({"sums": (18,)}, r"sums = \(18,\): expected integers from 0 to 17"),
        ({"sums": (-1,)}, r"sums = \(-1,\): expected integers from 0 to 17"),
        ({"groups": ((1, 18),)}, r"groups = \(1, 18\): expected integers from 0 to 17"),
        ({"groups": ((1,), ())}, r"groups = \(\(1,\), \(\)\): expected slices in each"),
        ({"groups": (), "sums": ()}, "expected slices in each, one at least"),
        ({"scalars": (25,)}, r"scalars = \(25,\): expected integers from 0 to 24"),
        ({"special": (19,)}, r"special = \(19,\): expected integers from 0 to 18"),
        ({"hidden_sizes": ()}, r"hidden_sizes = \(\): expected one layer at least"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        layout(**changes)


def test_equal_layouts_have_equal_digests():
    assert layout().digest() == layout().digest()
    others = [
        layout(sums=(0,)),
        layout(groups=((9, 17),)),
        layout(scalars=(1,)),
        layout(special=()),
        layout(hidden_sizes=(8,)),
        layout(options=np.roll(DEALS, 1, axis=0)),
    ]
    assert len({layout().digest(), *(other.digest() for other in others)}) == 7


@pytest.mark.parametrize(
    ("settings", "changes", "message"),
    [
        ({"algorithm": "ppo"}, {}, "algorithm = 'ppo': expected 'maskable-ppo' where"),
        ({}, {"observation_size": 30}, "scoring = 30 numbers and 19 actions: expected 25 and 19"),
    ],
)
def test_a_layout_of_another_game_or_learner_is_refused(tmp_path, settings, changes, message):
    with pytest.raises(ValueError, match=message):
        train(
            DealGame(64),
            replace(SETTINGS, **settings),
            seed=0,
            out=tmp_path / "out",
            scoring=layout(**changes),
        )


def test_scoring_is_part_of_what_tells_trainings_apart(tmp_path):
    settings = replace(SETTINGS, total_agent_steps=1024)
    train(DealGame(64), settings, seed=0, out=tmp_path, scoring=layout())
    with pytest.raises(ValueError, match="scoring = "):
        train(DealGame(64), settings, seed=0, out=tmp_path, scoring=layout(hidden_sizes=(4,)))
    with pytest.raises(ValueError, match="scoring = None: expected "):
        train(DealGame(64), settings, seed=0, out=tmp_path)
