"""What a training of lesson 5 may choose: how to balance the classes, and which network to start from."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from ecg_lessons import training
from ecg_lessons.errors import InputError
from ecg_lessons.examples import Examples
from ecg_lessons.models import heartbeat as models
from ecg_lessons.models.losses import SparseFocalLoss
from ecg_lessons.plans import Plan
from ecg_lessons.signals import balance as balancing

#: What is done about rare classes, in the training part alone.
BALANCES = ("none", "smote", "smote-tomek", "weights", "focal")


def refuse(network: str, balance: str) -> None:
    """Refuse what does not go together, before anything is read."""
    if balance not in BALANCES:
        raise InputError(f"There is no balance {balance!r}: choose {', '.join(BALANCES)}.")
    if network == "ours" and balance.startswith("smote"):
        raise InputError(
            "SMOTE makes beats without a heart, and the network ours compares a beat with others of its heart: choose "
            "--balance weights or focal, or another network."
        )


def origin(
    folder: str | Path | None, task: str, source: str, network: str | None, frozen: bool
) -> training.Run | None:
    """Open the run to start from; refuse one that has nothing to hand on, or may have met the test patients."""
    if folder is None:
        if frozen:
            raise InputError(
                "Frozen layers must have learnt something before: name a run with --transfer-from."
            )
        return None
    start = training.Run.open(folder)
    if start.about.get("lesson") != "heartbeat":
        raise InputError(
            f"{folder} is a run of lesson {start.about.get('lesson')!r}: transfer from a run that 'train heartbeat' "
            "or 'train infarction' made."
        )
    if network not in (None, start.about["network"]):
        raise InputError(
            f"{folder} is a run of the network {start.about['network']}: leave --network {network} out."
        )
    if (start.about["task"], start.about["source"]) == (task, source):
        raise InputError(
            f"{folder} has learnt the same task from the same data, maybe from the beats that are to be tested: "
            "transfer to another task or another source."
        )
    return start


def network_of(network: str | None, start: training.Run | None) -> str:
    """Name the network: the one asked for, that of the run to start from, or the paper's."""
    return network or (start.about["network"] if start else "cnet")


def balanced(shown: Examples, plan: Plan, balance: str) -> tuple[Examples, Plan, keras.losses.Loss | None]:
    """Do something about rare classes: in the examples, in the plan or in the loss."""
    if balance.startswith("smote"):
        x, y = balancing.smote(shown.x, shown.y, shown.classes, plan.seed, tomek=balance == "smote-tomek")
        return Examples(x, y, np.full(len(y), "synthetic or not"), shown.classes), plan, None
    if balance == "weights":
        plan = plan.but(class_weights=balancing.class_weights(shown.y, shown.classes))
    return shown, plan, SparseFocalLoss() if balance == "focal" else None


def build(network: str, classes: int, start: training.Run | None, frozen: bool) -> keras.Model:
    """Build a network, or give a trained one a new head."""
    if start:
        return models.new_head(start.model, classes, frozen)
    return models.build(network, classes=classes)
