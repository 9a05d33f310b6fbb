"""Scripted calls over the telephone: the same end states as in the messengers."""

from __future__ import annotations


async def test_a_call_books(house):
    async with await house.phone() as phone:
        print(phone.transcript)
        print(await phone.asks("Хочу постричься завтра после обеда"))
        print(await phone.asks("Женская стрижка, мастер Анна Смирнова"))
        print(await phone.asks("Давайте в 15:00"))
        done = await phone.asks("Да")
        print(done, phone.latencies_ms)

    [record] = house.records()
    assert "вы записаны" in done
