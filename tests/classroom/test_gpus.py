"""The ledger of cards: eight users, four cards."""

import asyncio
import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("gpus", Path(__file__).parents[2] / "docker" / "jupyterhub" / "gpus.py")
gpus = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gpus)
USERS = [f"student{k}" for k in range(8)]


@pytest.fixture
def ledger(tmp_path):
    return gpus.Ledger(tmp_path / "gpus.json", "0123", lambda: set(USERS))


def test_eight_users_on_four_cards(ledger):
    async def day():
        tasks = [asyncio.create_task(ledger.acquire(user, every=0.01)) for user in USERS]
        await asyncio.sleep(0.2)
        assert sorted(task.result() for task in tasks[:4]) == list("0123")
        assert not any(task.done() for task in tasks[4:])
        assert [ledger.place_of(user) for user in USERS] == [0, 0, 0, 0, 1, 2, 3, 4]
        told = ledger.told("student4", every=0.01)
        assert await anext(told) == "All 4 GPUs are in use: you are number 1 in line."
        freed = ledger.card_of("student2")
        ledger.release("student2")
        assert await asyncio.wait_for(tasks[4], 10) == freed
        assert [line async for line in told] == []
        assert [ledger.place_of(user) for user in USERS[5:]] == [1, 2, 3]
        for task in tasks[5:]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert ledger.waiting == []  # who gave up does not hold the line

    asyncio.run(day())


def test_a_user_has_one_card_and_keeps_it(ledger):
    async def twice():
        return [await ledger.acquire("ada", every=0.01) for _ in range(2)]

    ledger.running = lambda: {"ada"}
    assert asyncio.run(twice()) == ["0", "0"]


def test_after_a_restart_cards_are_those_of_running_servers(ledger):
    async def all_four():
        for user in USERS[:4]:
            await ledger.acquire(user, every=0.01)

    asyncio.run(all_four())
    again = gpus.Ledger(ledger.path, "0123", lambda: {"student0", "student3"})
    assert [again.card_of(user) for user in USERS[:4]] == list("0123")
    again.reconcile()
    assert [again.card_of(user) for user in USERS[:4]] == ["0", None, None, "3"]


def test_a_card_that_was_taken_out_is_nobodys(ledger):
    asyncio.run(ledger.acquire("student0", every=0.01))
    assert gpus.Ledger(ledger.path, "1", lambda: {"student0"}).holders == {}
