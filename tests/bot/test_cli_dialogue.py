"""A dialogue is replayed: what was said, called and answered, and by which prompt and model."""

from __future__ import annotations

import json


async def test_a_turn_is_replayed_with_its_calls_results_reply_model_and_prompt(house, admin):
    client = house.client()
    await client.says("Сколько стоит окрашивание?")
    [one] = json.loads(await admin("dialogues", "elita", "--json"))
    dialogue_id = one["id"]

    told = json.loads(await admin("dialogue", "show", dialogue_id, "--json"))
    shown = await admin("dialogue", "show", dialogue_id, "--prompt")

    [turn] = told["turns"]
    assert turn["client"] == "Сколько стоит окрашивание?"
    assert [call["tool"] for call in turn["calls"]] == ["get_services"]
    assert turn["results"][0]["result"]["services"]
    assert "8000" in turn["reply"]
    assert turn["model"] == "scripted-model (sandbox)"
    assert told["prompt"]["unchanged_since"] is True
    assert told["prompt"]["version_now"] == turn["prompt_version"]
    assert "НАШИ УСЛУГИ" in shown
    assert "unchanged since" in shown


async def test_an_unknown_dialogue_is_said_so(admin):
    assert "is not a dialogue's id" in await admin("dialogue", "show", "nonsense", exit_code=1)
    assert "there is no dialogue" in await admin(
        "dialogue", "show", "6ca36890-1d74-55df-9871-c76128e987e0", exit_code=1
    )
