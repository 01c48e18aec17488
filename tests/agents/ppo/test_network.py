import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sb3_contrib import MaskablePPO

from agents.ppo import BatchVecEnv, MaskedPolicy
from agents.ppo.layers import product

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


def test_other_activations_are_refused(lanes_of):
    lanes = BatchVecEnv(lanes_of(1))
    relu = {"activation_fn": torch.nn.ReLU}
    policy = MaskablePPO("MlpPolicy", lanes, policy_kwargs=relu, device="cpu").policy
    with pytest.raises(ValueError, match="expected flat observations and tanh layers"):
        MaskedPolicy.from_sb3(policy)


@pytest.mark.parametrize("shape", [(6,), (3, 4), ()])
def test_observations_of_another_length_are_refused(trained, shape):
    with pytest.raises(ValueError, match=r"observation shape = \(.*expected 5 numbers"):
        trained.policy.probabilities(np.zeros(shape))


def test_its_values_are_those_that_were_trained_in_the_reward_units_of_the_game(
    trained, tiny_settings
):
    policy = MaskablePPO.load(trained.checkpoint, device="cpu").policy
    observations = np.random.default_rng(0).normal(size=(7, 4, 5)).astype(np.float32)
    with torch.no_grad():
        expected = policy.predict_values(torch.as_tensor(observations.reshape(28, 5))).numpy()
    given = trained.policy.values(observations)
    assert given.shape == (7, 4)
    np.testing.assert_allclose(
        given.reshape(28) * tiny_settings.reward_scale, expected[:, 0], atol=1e-5
    )
    reloaded = MaskedPolicy.load(trained.checkpoint)
    assert np.array_equal(reloaded.values(observations), given)


def test_a_policy_without_a_critic_has_no_values():
    with pytest.raises(ValueError, match="expected a policy with a critic"):
        MaskedPolicy([LAYER]).values(np.ones(2))


@pytest.mark.parametrize(("uniform", "action"), [(0.0, 0), (0.49, 0), (0.5, 2), (1 - 2**-53, 2)])
def test_a_number_decides_between_the_legal_actions(uniform, action):
    policy = MaskedPolicy([LAYER])
    assert policy.act(np.ones(2), np.array([1, 0, 1]), np.array(uniform)) == action


def test_without_a_number_the_likeliest_legal_action_is_taken():
    policy = MaskedPolicy([(np.zeros((2, 3), np.float32), np.array([1, 3, 2], np.float32))])
    masks = np.array([[1, 1, 1], [1, 0, 1]])
    assert policy.act(np.ones((2, 2)), masks, None).tolist() == [1, 2]


def test_loading_a_policy_leaves_the_global_generators_alone(trained):
    torch.rand(1)  # away from where an earlier load may have left it
    state = torch.get_rng_state()
    MaskedPolicy.load(trained.checkpoint)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("shape", [(3, 5, 4), (2000, 300, 3), (3, 300, 2000), (1, 400_000, 1)])
def test_products_in_pieces_are_products(shape):
    rng = np.random.default_rng(0)
    rows, inner, columns = shape
    left = rng.normal(size=(rows, inner)).astype(np.float32)
    right = rng.normal(size=(inner, columns)).astype(np.float32)
    np.testing.assert_allclose(product(left, right), left @ right, rtol=1e-3, atol=1e-2)
