import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.ppo.draws import uniforms

WORDS = st.integers(0, 2**64 - 1)


@given(st.lists(WORDS, min_size=1, max_size=5), WORDS, WORDS)
def test_every_draw_is_a_matter_of_its_own_key_and_place(keys, first, second):
    drawn = uniforms(np.array(keys, np.uint64), first, second)
    assert ((drawn >= 0) & (drawn < 1)).all()
    alone = [float(uniforms(np.uint64(key), first, second)) for key in keys]
    assert drawn.tolist() == alone


def test_keys_and_places_draw_apart_and_evenly():
    drawn = uniforms(np.arange(100)[:, None, None], np.arange(20)[:, None], np.arange(10))
    assert drawn.shape == (100, 20, 10)
    assert np.unique(drawn).size == drawn.size
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0]
    assert counts == pytest.approx(2000, abs=200)
    for axis in range(3):
        neighbours = np.moveaxis(drawn, axis, 0)
        assert np.corrcoef(neighbours[:-1].ravel(), neighbours[1:].ravel())[0, 1] == pytest.approx(
            0, abs=0.03
        )


def test_the_order_of_places_matters():
    assert uniforms(1, 2, 3) != uniforms(1, 3, 2)
    assert uniforms(1, 2) != uniforms(2, 1)
