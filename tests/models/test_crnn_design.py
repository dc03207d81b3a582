import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.lessons import rhythm
from ecg_lessons.models.crnn import Augmentation, Design


@pytest.mark.parametrize("name", list(rhythm.NETWORKS))
def test_every_model_file_says_what_it_is_and_comes_back_from_toml(name, tmp_path):
    design = rhythm.design(name)
    assert design.about.endswith(".")
    path = tmp_path / "again.toml"
    path.write_text(design.toml(), encoding="utf-8")
    assert Design.read(path) == design


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"convolution": {}}, "no entry 'convolution'; did you mean 'convolutions'?"),
        ({"convolutions": {"kernal": 3}}, "no entry 'convolutions.kernal'; did you mean 'convolutions.kernel'?"),
        ({"training": {"epoch": 3}}, "no entry 'training.epoch'; did you mean 'training.epochs'?"),
        ({"training": {"warmup": 30}}, "training: warmup = 30; it must be below epochs"),
        ({"colour": 1}, "no entry 'colour'; it knows about, spectrogram"),
        ({"recurrence": {"cell": "rnn"}}, "recurrence.cell = 'rnn': choose 'lstm' or 'gru'"),
        ({"spectrogram": {"step": 10}}, "spectrogram.step = 10: choose 8, 16 or 32"),
        ({"convolutions": {"blocks": 0}}, "convolutions.blocks = 0; it must be at least 1"),
        ({"convolutions": {"blocks": 2.5}}, "convolutions.blocks = 2.5 is not a whole number"),
        ({"convolutions": {"dropout": 1.0}}, "convolutions.dropout = 1.0; it must be below 1"),
        ({"recurrence": {"beside": 1}}, "recurrence.beside = 1 is not true or false"),
        ({"about": 3}, "about = 3 is not text in quotes"),
        ({"convolutions": 3}, "convolutions = 3 is not a table"),
        ({"repeat_classes": 3}, "repeat_classes = 3 is not a list in brackets"),
        ({"repeat_classes": [1, 0, 1, 1]}, "repeat_classes.1 = 0; it must be at least 1"),
        ({"signal": {"channels": 8}}, 'signal.channels needs convolutions over "time"'),
        ({"augmentation": {"flip": 1.0}}, "augmentation.flip = 1.0; it must be below 1"),
        ({"phases": [{"train": "all"}]}, "no entry 'phases.0.train'; did you mean 'phases.0.trains'?"),
        ({"phases": [{"trains": "all"}, {"trains": "convolutions"}]}, "it must train 'all'"),
        ({"phases": [{"trains": "recurrence"}, {"trains": "all"}]}, "recurrence.layers is 0"),
    ],
)
def test_a_mistake_in_a_model_file_gets_one_sentence(table, sentence):
    with pytest.raises(InputError) as told:
        Design(**table)
    assert sentence in str(told.value)


def test_the_sentence_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    with pytest.raises(InputError, match=r"Cannot read .*mine\.toml"):
        Design.read(path)
    path.write_text("[convolutions\n")
    with pytest.raises(InputError, match=r"mine\.toml is not TOML"):
        Design.read(path)
    path.write_text("[training]\nbest_by = 'f1'\n")
    with pytest.raises(InputError, match=r"mine\.toml: training\.best_by = 'f1': choose 'loss'"):
        rhythm.design(path)
    path.write_text("[summary]\nover_tim = 'mean'\n")
    with pytest.raises(InputError, match=r"mine\.toml: .*did you mean 'summary\.over_time'"):
        Design.read(path)


def test_a_design_changes_by_name():
    crnn = rhythm.design("crnn", epochs=2, seed=7)
    assert [phase.epochs for phase in crnn.phases] == [2, 2, 2]
    assert crnn.training.seed == 7
    assert crnn.phases[-1].learning_rate == 1e-4
    assert rhythm.design("compact", epochs=1).training.warmup == 0
    assert rhythm.design("compact", epochs=9).training.warmup == 2
    plain = rhythm.design("compact", augmented=False)
    assert plain.augmentation == Augmentation(window_seconds=30)


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"no network 'rnn': did you mean 'crnn'"):
        rhythm.design("rnn")
