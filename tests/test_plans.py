"""Plans: read, changed, stored; typing errors are told."""

import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.plans import Plan


def test_survives_its_own_toml(tmp_path):
    plan = Plan(epochs=3, class_weights=(1.0, 3.05), schedule="cosine", seed=7)
    (tmp_path / "plan.toml").write_text(plan.toml())
    assert Plan.read(tmp_path / "plan.toml") == plan


def test_a_file_changes_only_what_it_names(tmp_path):
    (tmp_path / "p.toml").write_text("epochs = 4\nlearning_rate = 1\n")
    assert Plan.read(tmp_path / "p.toml", Plan(seed=9)) == Plan(epochs=4, learning_rate=1, seed=9)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epoch = 4", "no entry 'epoch'; did you mean 'epochs'"),
        ("epochs = 'four'", "epochs = 'four' is not a whole number"),
        ("epochs = 0", "epochs = 0; it must be above 0"),
        ("learning_rate = inf", "learning_rate = inf is not a finite number"),
        ("optimizer = 'sgd'", "optimizer = 'sgd': choose 'adam', 'adamw' or 'rmsprop'"),
        ("seed = true", "seed = True is not a whole number"),
        ("class_weights = [1, 'a']", "class_weights.1 = 'a' is not a number"),
        ("epochs = ", "is not TOML"),
    ],
)
def test_tells_what_is_wrong(tmp_path, text, words):
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        Plan.read(tmp_path / "p.toml")
    assert "p.toml" in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"Cannot read .*nowhere\.toml"):
        Plan.read(tmp_path / "nowhere.toml")


def test_cosine_ends_at_zero():
    rate = Plan(schedule="cosine", learning_rate=0.5).optimizer_for(10).learning_rate
    schedule = Plan(schedule="cosine", learning_rate=0.5).optimizer_for(10)._learning_rate
    assert float(rate) == pytest.approx(0.5)
    assert float(schedule(10)) == pytest.approx(0.0, abs=1e-6)


def test_a_cosine_may_rise_first():
    schedule = Plan(schedule="cosine", learning_rate=0.5, epochs=10, warmup=2).optimizer_for(100)._learning_rate
    rates = [float(schedule(step)) for step in (0, 10, 20, 60, 100)]
    assert rates == pytest.approx([0.05, 0.275, 0.5, 0.25, 0.0], abs=1e-6)


def test_average_clipping_and_decay_reach_the_optimizer():
    optimizer = Plan(optimizer="adamw", average=0.9, clip_norm=2.0, weight_decay=0.1).optimizer_for(10)
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.9)
    assert (optimizer.clipnorm, optimizer.weight_decay) == (2.0, 0.1)
    plain = Plan().optimizer_for(10)
    assert (plain.use_ema, plain.clipnorm) == (False, None)


@pytest.mark.parametrize("wrong", [{"average": 1.0}, {"warmup": 20}, {"warmup": -1}])
def test_averages_and_warmups_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Plan(epochs=20, **wrong)
