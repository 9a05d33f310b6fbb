"""A company's file into the stores: what is taken stands there as it was written; what is refused changes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from bench.fuzz.drive import drive
from bench.fuzz.house import House
from bench.fuzz.near import Chance
from bench.fuzz.readers import written_file
from bench.fuzz.tally import Tally
from bot.companies import file_of, replace_from_file
from bot.company_file import CompanyFile, CompanyFileErrors, parse_company_file
from bot.company_writing import write_company_file

BATCH = 10
_COMPANIES = 8


@dataclass(slots=True)
class Imports:
    house: House
    tally: Tally
    turns: int = 0

    async def play(self, chance: Chance) -> None:
        for _ in range(BATCH):
            given = written_file(chance)
            self.tally.inputs += 1
            try:
                await self._import(given.decode(errors="replace"))
            except Exception as error:
                self.tally.server_error(f"{type(error).__name__}: {error}"[:500], of=given[:1500])

    async def _import(self, text: str) -> None:
        try:
            file = parse_company_file(text)
        except CompanyFileErrors:
            return
        self.turns += 1
        if file.crm_type == "1c":
            # Its mapping is read from the disk's files: no part of this.
            return
        file = replace(file, slug=f"fuzzed-{self.turns % _COMPANIES}")
        companies = self.house.core.companies
        company = await replace_from_file(companies, file)
        stands = write_company_file(file_of(await companies.get_snapshot(company.id)))
        if stands != write_company_file(_as_kept(file, stands)):
            self.tally.lose(f"stands there otherwise: {stands!r}", of=text)


def _as_kept(file: CompanyFile, stands: str) -> CompanyFile:
    """Return the file with the CRM that stands: a file that names none leaves the one that was there."""
    if file.crm_type is not None:
        return file
    kept = parse_company_file(stands)
    return replace(file, crm_type=kept.crm_type, crm_options=kept.crm_options)


async def fuzz_imports(house: House, *, inputs: int, seed: int) -> Tally:
    """Import so many files into a few companies, one over the other."""
    tally, began = Tally(target="company file import"), time.monotonic()
    await drive(Imports(house, tally).play, count=max(1, inputs // BATCH), seed=seed)
    tally.seconds = time.monotonic() - began
    return tally
