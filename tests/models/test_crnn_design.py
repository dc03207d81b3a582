import pytest

from ecg_lessons.errors import InputError
from ecg_lessons.lessons import rhythm
from ecg_lessons.models.crnn import Augmentation, Design


@pytest.mark.parametrize("name", rhythm.networks())
def test_every_model_file_says_what_it_is_and_comes_back_from_toml(name, tmp_path):
    design = rhythm.design(name)
    assert design.about.endswith(".")
    path = tmp_path / "again.toml"
    path.write_text(design.toml(), encoding="utf-8")
    assert Design.read(path) == design


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"convolution": {}}, "no entry convolution; did you mean convolutions?"),
        ({"convolutions": {"kernal": 3}}, "no entry convolutions.kernal; did you mean convolutions.kernel?"),
        ({"training": {"epoch": 3}}, "no entry 'epoch'; did you mean 'epochs'?"),
        ({"colour": 1}, "no entry colour; it knows about, spectrogram"),
        ({"recurrence": {"cell": "rnn"}}, "recurrence.cell = 'rnn': choose 'lstm', 'gru'"),
        ({"spectrogram": {"step": 10}}, "spectrogram.step = 10: choose 8, 16, 32"),
        ({"convolutions": {"blocks": 0}}, "convolutions.blocks = 0: it must be at least 1"),
        ({"convolutions": {"blocks": 2.5}}, "convolutions.blocks = 2.5 is not a whole number"),
        ({"convolutions": {"dropout": 1.0}}, "convolutions.dropout = 1.0: it must be at least 0 and below 1"),
        ({"recurrence": {"beside": 1}}, "recurrence.beside = 1 is not true or false"),
        ({"about": 3}, "about = 3 is not text in quotes"),
        ({"convolutions": 3}, "convolutions = 3 is no table"),
        ({"repeat_classes": 3}, "repeat_classes = 3 is no list"),
        ({"repeat_classes": [1, 0, 1, 1]}, "repeat_classes = 0: it must be at least 1"),
        ({"signal": {"channels": 8}}, 'signal.channels needs convolutions over "time"'),
        ({"augmentation": {"flip": 1.0}}, "augmentation.flip = 1.0: it must be at least 0 and below 1"),
        ({"phases": [{"trains": "all"}, {"trains": "convolutions"}]}, "it must train 'all'"),
        ({"phases": [{"trains": "recurrence"}, {"trains": "all"}]}, "recurrence.layers is 0"),
    ],
)
def test_a_mistake_in_a_model_file_gets_one_sentence(table, sentence):
    with pytest.raises(InputError) as told:
        Design.of(table)
    assert sentence in str(told.value)


def test_the_sentence_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    with pytest.raises(InputError, match=r"No model file .*mine\.toml"):
        Design.read(path)
    path.write_text("[convolutions\n")
    with pytest.raises(InputError, match=r"mine\.toml is not TOML"):
        Design.read(path)
    path.write_text("[training]\nbest_by = 'f1'\n")
    with pytest.raises(InputError, match=r"mine\.toml: training\.best_by = 'f1'; choose one of loss"):
        rhythm.design(path)
    path.write_text("[summary]\nover_tim = 'mean'\n")
    with pytest.raises(InputError, match=r"mine\.toml: .*did you mean summary\.over_time"):
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
    assert rhythm.is_augmented(rhythm.design("compact"))
    assert not rhythm.is_augmented(plain)


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"no network 'rnn': choose cnn, compact, compact-signal, crnn"):
        rhythm.design("rnn")
