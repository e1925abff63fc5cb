"""References that are not suitable to learn from."""

import numpy as np
import pytest
from learners import LAYOUT, SMALL, learner_of

from amp_sbx import AMPConfig, AMPLearner, FeatureError, ReferenceFeatures

RNG = np.random.default_rng(0)


def test_a_reference_shorter_than_a_minibatch():
    with pytest.raises(
        FeatureError,
        match=r"40 samples to learn from, fewer than amp.batch_size 64.*amp.batch_size to 40 or",
    ):
        learner_of(RNG.normal(size=(40, 4)))
    with pytest.raises(
        FeatureError,
        match=r"has 48 samples to learn from .amp.held_out_fraction 0.2 takes the rest",
    ):
        learner_of(RNG.normal(size=(60, 4)), held_out_fraction=0.2, batch_size=50)


def test_a_reference_of_one_motion():
    one = ReferenceFeatures(RNG.normal(size=(80, 4)), motion_ids=np.full(80, 7))
    with pytest.raises(
        FeatureError,
        match=r"only one motion .* motion_id 7 with 80 samples.*amp.single_motion to true",
    ):
        AMPLearner(AMPConfig(**SMALL), one)
    AMPLearner(AMPConfig(**SMALL, single_motion=True), one)
    ids, weights = np.repeat([7, 8], 80), np.repeat([1.0, 0.0], 80)
    with pytest.raises(FeatureError, match="motion_id 7 with 80 samples"):
        AMPLearner(
            AMPConfig(**SMALL),
            ReferenceFeatures(np.tile(one.features, (2, 1)), weights, motion_ids=ids),
        )
    AMPLearner(AMPConfig(**SMALL), ReferenceFeatures(one.features))


def test_features_out_of_range_are_named():
    torn = RNG.normal(size=(500, 4))
    learner_of(1e4 * torn)  # any unit will do
    torn[3, 3] = 1800.0
    with pytest.raises(
        FeatureError,
        match=r"vel\[0\] of the reference is 1.8e\+03 in sample 3, but 99 % of its values lie wi",
    ):
        learner_of(torn)
    weights = np.ones(500)
    weights[3] = 0.0
    AMPLearner(
        AMPConfig(**SMALL), ReferenceFeatures(torn, weights)
    )  # what is never drawn does no harm
    beyond = np.zeros((100, 4)) + 0.1 * RNG.normal(size=(100, 4))
    beyond[:3, 2] = 9.0  # 5.5 standard deviations of a channel that is else still
    with pytest.raises(
        FeatureError,
        match=r"pos\[0\] lies beyond amp.feature_clip, 5 standard deviations .* in 3.0% of",
    ):
        learner_of(beyond, feature_clip=5.0)


def test_a_resumed_models_statistics_judge_the_new_reference():
    learner = learner_of()
    learner.reference = ReferenceFeatures(
        RNG.normal(size=(500, 4)) * [1.0, 100.0, 1.0, 1.0], layout=LAYOUT
    )
    with pytest.raises(
        FeatureError, match=r"vel\[0\], 1 frame back lies beyond amp.feature_clip, 10 .* same units"
    ):
        learner.restore(learner.state)
