import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sb3_contrib import MaskablePPO

from agents.ppo import LaneVecEnv, MaskedPolicy

LAYER = (np.zeros((2, 3), np.float32), np.zeros(3, np.float32))


def test_it_gives_the_distribution_that_was_trained(trained):
    policy = MaskablePPO.load(trained.checkpoint, device="cpu").policy
    rng = np.random.default_rng(0)
    observations = rng.normal(size=(500, 5)).astype(np.float32)
    masks = rng.random((500, 3)) < 0.6
    masks[~masks.any(axis=1), 0] = True
    with torch.no_grad():
        expected = policy.get_distribution(torch.as_tensor(observations), action_masks=masks)
    given = trained.policy.probabilities(observations, masks)
    np.testing.assert_allclose(given, expected.distribution.probs.numpy(), atol=1e-5)
    assert given.std() > 0.1


@given(
    hnp.arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6)),
    hnp.arrays(np.int8, (4, 3), elements=st.integers(0, 1)),
)
@settings(max_examples=50)
def test_probabilities_sum_to_one_and_avoid_the_illegal(trained, observations, masks):
    probabilities = trained.policy.probabilities(observations, masks)
    assert probabilities.sum(axis=-1) == pytest.approx(1.0)
    some_legal = masks.any(axis=-1)
    assert (probabilities[some_legal] * (masks[some_legal] == 0) == 0).all()


def test_one_observation_is_judged_as_in_a_batch(trained):
    observations = np.random.default_rng(0).normal(size=(6, 5))
    batch = trained.policy.probabilities(observations)
    for row, observation in enumerate(observations):
        np.testing.assert_allclose(trained.policy.probabilities(observation), batch[row], atol=1e-6)


def test_it_knows_its_shape(trained):
    assert (trained.policy.num_observed, trained.policy.num_actions) == (5, 3)


def test_equal_logits_are_drawn_equally_among_the_legal():
    probabilities = MaskedPolicy([LAYER]).probabilities(np.ones(2), np.array([1, 0, 1]))
    assert probabilities.tolist() == [0.5, 0.0, 0.5]


def test_other_activations_are_refused(make_symbol_game):
    lanes = LaneVecEnv(make_symbol_game(), 1, seed=0)
    relu = {"activation_fn": torch.nn.ReLU}
    policy = MaskablePPO("MlpPolicy", lanes, policy_kwargs=relu, device="cpu").policy
    with pytest.raises(ValueError, match="expected flat observations and tanh layers"):
        MaskedPolicy.from_sb3(policy)


@pytest.mark.parametrize("shape", [(6,), (3, 4), ()])
def test_observations_of_another_length_are_refused(trained, shape):
    with pytest.raises(ValueError, match=r"observation shape = \(.*expected 5 numbers"):
        trained.policy.probabilities(np.zeros(shape))
