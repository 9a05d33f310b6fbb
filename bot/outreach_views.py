"""The OutreachView port: what is known of messages that go out unasked to one client, over all their channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from db.clients import Clients
from db.consents import Consents
from db.engine import Database
from db.outreach_records import Consent, Rating, WaitingEntry, WaitingOffer
from db.ratings import Ratings
from db.records import Dialogue
from db.waiting_list import WaitingList
from db.waiting_offers import WaitingOffers


class KnownOutreach:
    """Every method is a transaction of its own, and writes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clients = Clients()
        self._consents = Consents()
        self._waiting = WaitingList()
        self._offers = WaitingOffers()
        self._ratings = Ratings()

    async def list_consents(self, dialogue: Dialogue) -> Sequence[Consent]:
        """Return everything that they said to being written to, the oldest first."""
        async with self._database.company(dialogue.company_id) as tx:
            return await self._consents.list_of(tx, await self._clients.list_dialogues(tx, dialogue))

    async def list_waiting(self, dialogue: Dialogue) -> Sequence[WaitingEntry]:
        """Return what they wait for."""
        async with self._database.company(dialogue.company_id) as tx:
            return await self._waiting.list_of(tx, await self._clients.list_dialogues(tx, dialogue))

    async def find_offer(self, dialogue: Dialogue, offer_id: UUID) -> WaitingOffer | None:
        """Return a time that was offered to them."""
        async with self._database.company(dialogue.company_id) as tx:
            return await self._offers.find(tx, offer_id, await self._clients.list_dialogues(tx, dialogue))

    async def find_rating(self, dialogue: Dialogue, rating_id: UUID) -> Rating | None:
        """Return what they were asked of a visit of theirs."""
        async with self._database.company(dialogue.company_id) as tx:
            return await self._ratings.find(tx, rating_id, await self._clients.list_dialogues(tx, dialogue))

    async def find_open_rating(self, dialogue: Dialogue, *, since: datetime) -> Rating | None:
        """Return the latest visit of which they were asked since then and have not answered."""
        async with self._database.company(dialogue.company_id) as tx:
            theirs = await self._clients.list_dialogues(tx, dialogue)
            return await self._ratings.find_open(tx, theirs, since=since)
