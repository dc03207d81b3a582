"""Who has which card: at most one user a card, the others in a queue; kept in a file that outlives the hub."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path


class Ledger:
    """Cards, who has them, and who waits for them, in the order of asking."""

    def __init__(self, path: Path, cards: Iterable[str], running: Callable[[], set[str]]):
        self.path, self.cards, self.running = Path(path), list(cards), running
        told = json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else {}
        self.holders = {card: user for card, user in told.items() if card in self.cards}
        self.waiting: list[str] = []

    def _write(self) -> None:
        draft = self.path.with_suffix(".part")
        draft.write_text(json.dumps(self.holders), encoding="utf-8")
        os.replace(draft, self.path)

    def card_of(self, user: str) -> str | None:
        """Give the card that a user has."""
        return next((card for card, holder in self.holders.items() if holder == user), None)

    def release(self, user: str) -> None:
        """Free a user's card."""
        self.holders = {card: holder for card, holder in self.holders.items() if holder != user}
        self._write()

    def reconcile(self) -> None:
        """Free the cards of those whose servers ended unseen, as while the hub was down."""
        alive = self.running()
        gone = {card for card, holder in self.holders.items() if holder not in alive}
        if gone:
            self.holders = {card: holder for card, holder in self.holders.items() if card not in gone}
            self._write()

    def place_of(self, user: str) -> int:
        """Give a user's place in the queue, 1 for the next; 0 for who does not wait."""
        return self.waiting.index(user) + 1 if user in self.waiting else 0

    async def acquire(self, user: str, every: float = 1) -> str:
        """Wait for a card and take it; who already has one keeps it."""
        if user not in self.waiting:
            self.waiting.append(user)
        try:
            while True:
                self.reconcile()
                card = self.card_of(user)
                free = [card for card in self.cards if card not in self.holders]
                if card is None and free and self.waiting[0] == user:
                    card = free[0]
                    self.holders[card] = user
                    self._write()
                if card is not None:
                    return card
                await asyncio.sleep(every)
        finally:
            self.waiting.remove(user)

    async def told(self, user: str, every: float = 1) -> AsyncIterator[str]:
        """Say a user's place whenever it changes, until they wait no more."""
        last = 0
        while place := self.place_of(user):
            if place != last:
                yield f"All {len(self.cards)} GPUs are in use: you are number {place} in line."
            last = place
            await asyncio.sleep(every)
