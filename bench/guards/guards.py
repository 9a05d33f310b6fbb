"""The guards: what each holds off, where it stands, how it is switched off, and the test that must then fail."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`off` takes the place of `on` in `file`, which has to hold it once."""

    holds: str
    file: str
    on: str
    off: str
    test: str


GUARDS = (
    # ---- between companies ------------------------------------------------------------------------------------------
    Guard(
        holds="Row-level security is forced on every tenant's table",
        file="db/migrations/versions/0001_the_house.sql",
        on="EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);",
        off="NULL;",
        test="tests/db/test_schema.py::test_every_table_with_a_company_is_under_forced_row_level_security",
    ),
    Guard(
        holds="A row is written for the transaction's own company only",
        file="db/migrations/versions/0001_the_house.sql",
        on="' WITH CHECK (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)', table_name);",
        off="' WITH CHECK (true)', table_name);",
        test="tests/db/test_schema.py::test_without_a_company_nothing_is_seen_and_a_foreign_row_is_refused",
    ),
    Guard(
        holds="A transaction's company ends with it, on a connection that others use next",
        file="db/engine.py",
        on="""return f"SET LOCAL app.company_id = '{company}'", f"SET LOCAL ROLE {role}\"""",
        off="""return f"SET app.company_id = '{company}'" if company else "SELECT 1", f"SET LOCAL ROLE {role}\"""",
        test="tests/db/test_schema.py::test_the_company_of_a_transaction_does_not_outlive_it",
    ),
    Guard(
        holds="A state in Redis is named by company, channel and bot",
        file="db/dialogue_state.py",
        on='f"{prefix}fsm:{{{self.company_id}}}:{self.channel}:{self.bot}:{self.dialogue}"',
        off='f"{prefix}fsm:{self.dialogue}"',
        test="tests/db/test_dialogues.py::test_the_key_of_a_state_tells_bots_companies_and_channels_apart",
    ),
    # ---- secrets ----------------------------------------------------------------------------------------------------
    Guard(
        holds="A ciphertext opens for its company and column only",
        file="db/crypto.py",
        on='return f"{company_id}|{column}|{key_id}".encode()',
        off='return b""',
        test="tests/db/test_crypto.py::test_a_secret_opens_only_for_its_company_and_column",
    ),
    Guard(
        holds="A webhook's token is kept as a digest",
        file="db/crypto.py",
        on='return hashlib.sha256(token.encode(errors="surrogateescape")).digest()',
        off="return token.encode()",
        test="tests/db/test_crypto.py::test_webhook_tokens_are_long_and_kept_as_digests",
    ),
    Guard(
        holds="The development key is its owner's alone",
        file="db/crypto.py",
        on="os.O_EXCL, 0o600)",
        off="os.O_EXCL, 0o644)",
        test="tests/db/test_crypto.py::test_the_development_key_is_made_once_for_its_owner_only",
    ),
    Guard(
        holds="Production takes no tenant's credential from the environment",
        file="bot/settings.py",
        on="        if refused:\n",
        off="        if refused and not refused:\n",
        test="tests/bot/test_settings.py::test_production_refuses_a_tenants_credential_in_the_environment_and_names_it",
    ),
    Guard(
        holds="Tokens and phones are cut out of logs",
        file="bot/redaction.py",
        on="        text = pattern.sub(replacement, text)\n",
        off="        pass\n",
        test="tests/bot/test_settings.py::test_what_slips_into_a_log_is_cut",
    ),
    # ---- the way in -------------------------------------------------------------------------------------------------
    Guard(
        holds="Telegram's secret is compared",
        file="handlers/telegram/intake.py",
        on="return is_set and hmac.compare_digest(given, expected)",
        off="return is_set",
        test="tests/handlers/test_webhook.py::test_a_wrong_secret_is_refused_and_nothing_is_stored",
    ),
    Guard(
        holds="Meta's signature is checked over the body",
        file="handlers/whatsapp/intake.py",
        on='return bool(secret) and hmac.compare_digest(given.encode(errors="replace"), expected.encode())',
        off="return bool(secret)",
        test="tests/handlers/test_whatsapp_webhook.py::test_only_what_meta_signed_is_taken",
    ),
    Guard(
        holds="Another app's messages are nobody's by naming its number",
        file="handlers/webhooks.py",
        on="found = [one for one in others if one.lock(request.headers, body)]",
        off="found = others",
        test="tests/handlers/test_whatsapp_webhook.py::test_nobody_gets_another_apps_messages_by_naming_its_number",
    ),
    Guard(
        holds="Twilio's signature is checked",
        file="handlers/voice/proof.py",
        on="and any(matches)",
        off="and bool(matches)",
        test="tests/e2e/test_calls.py::test_whoever_cannot_prove_who_they_are_gets_no_call",
    ),
    Guard(
        holds="A call's stream opens once",
        file="db/calls.py",
        on="ticket=None, connections=",
        off="connections=",
        test="tests/e2e/test_calls.py::test_a_stream_opens_once",
    ),
    Guard(
        holds="An unknown token, another channel's and a disabled one are told apart by nothing",
        file="handlers/webhooks.py",
        on="if found is None or found[0].type is not type_:",
        off="if found is None:",
        test="tests/handlers/test_webhook.py::test_an_unknown_token_gets_the_same_404_whatever_the_cause",
    ),
    Guard(
        holds="A company over its rate stores nothing more",
        file="db/intake.py",
        on="if refused:",
        off="if refused and not keys:",
        test="tests/handlers/test_webhook.py::test_a_company_over_its_rate_is_asked_to_come_again_and_nothing_is_stored",
    ),
    Guard(
        holds="An update is stored once, however often it comes",
        file="db/migrations/versions/0014_one_statement_at_the_door.sql",
        on="        ON CONFLICT DO NOTHING\n",
        off="        ON CONFLICT (company_id, channel_id, update_key)\n"
        "        DO UPDATE SET accepted_at = excluded.accepted_at\n",
        test="tests/db/test_inbox.py::test_an_update_is_stored_once_however_often_it_comes",
    ),
    Guard(
        holds="Operators' routes want the token",
        file="middlewares/http.py",
        on="if not bearer_is(request, *opening):",
        off="if not opening:",
        test="tests/handlers/test_webhook.py::test_figures_with_a_token_set_want_one_of_the_tokens",
    ),
    Guard(
        holds="Who guesses tokens is told to wait",
        file="db/strangers.py",
        on="if wait > timedelta(0):",
        off="if False:",
        test="tests/db/test_strangers.py::test_who_guesses_tokens_is_told_to_wait_before_the_database_is_asked",
    ),
    Guard(
        holds="A signed body is not taken again once its dedup key is forgotten",
        file="handlers/webhooks.py",
        on="return sent_at is not None and self._clock() - sent_at > OLDEST",
        off="return False",
        test="tests/handlers/test_door_order.py::test_a_signature_does_not_outlive_our_memory_of_what_it_was_for",
    ),
    Guard(
        holds="A company's address leads to no machine of our network",
        file="crm/addresses.py",
        on="if not self._is_named(name) and not all(is_public(one) for one in found):",
        off="if not name:",
        test="tests/crm/test_addresses.py::test_a_name_that_leads_to_us_is_refused",
    ),
    Guard(
        holds="A connection goes to the address that was looked at",
        file="crm/transport.py",
        on="return await super().connect_tcp(address, port, share, local_address, socket_options)",
        off="return await super().connect_tcp(host, port, share, local_address, socket_options)",
        test="tests/crm/test_addresses.py::test_the_connection_goes_to_the_address_that_was_looked_at",
    ),
    Guard(
        holds="A forwarded address counts only from a trusted proxy",
        file="middlewares/http.py",
        on="while address is not None and forwarded and is_trusted(address):",
        off="while address is not None and forwarded:",
        test="tests/middlewares/test_http.py::test_without_trusted_proxies_only_the_peer_counts",
    ),
    Guard(
        holds="A CRM is reached by https only",
        file="crm/addresses.py",
        on='known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)',
        off="known = True",
        test="tests/crm/test_registry.py::test_bad_settings_are_refused_by_the_name_of_the_field",
    ),
    # ---- who may do what ---------------------------------------------------------------------------------------------
    Guard(
        holds="A caller's number opens nothing",
        file="bot/call_desk.py",
        on="phone=record.caller if accepts else None",
        off="phone=record.caller",
        test="tests/e2e/test_calls.py::test_a_forged_number_opens_nothing",
    ),
    Guard(
        holds="A phone that only the model wrote is no phone",
        file="orchestration/identity.py",
        on='typed = find_phones("\\n".join([*words, turn.client_text]))',
        off='typed = find_phones(wanted or "")',
        test="tests/orchestration/test_tools.py::test_a_phone_that_only_the_model_wrote_is_no_phone",
    ),
    Guard(
        holds="The model books only a time that this dialogue was shown, while it counts",
        file="orchestration/conversation.py",
        on="if offer.id == offer_id and now - offer.shown_at < OFFER_LIFETIME:",
        off="if offer.id == offer_id:",
        test="tests/orchestration/test_tools.py::test_an_offer_expires",
    ),
    Guard(
        holds="Nothing is written without the client's yes to exactly this",
        file="orchestration/confirmation.py",
        on="if turn.texts.is_yes(words) or turn.texts.is_one_of(_YES_TO[proposal.kind], words):",
        off="if words:",
        test="tests/e2e/test_booking.py::test_only_a_turn_that_is_nothing_but_a_listed_yes_confirms",
    ),
    Guard(
        holds="A yes that was written before the question arrived is none",
        file="orchestration/confirmation.py",
        on="if turn.was_asked or await self._desk.was_begun(turn.dialogue, proposal.id):",
        off="if turn:",
        test="tests/reliability/test_writes_and_deliveries.py"
        "::test_a_yes_in_words_to_a_question_that_is_still_on_its_way_books_nothing",
    ),
    Guard(
        holds="A client has only so many visits ahead",
        file="orchestration/proposals.py",
        on="for one in ahead}) < most:",
        off="for one in ahead}) < most + 100:",
        test="tests/e2e/test_open_bookings.py"
        "::test_one_more_than_the_company_allows_is_not_booked_whatever_channel_it_comes_by",
    ),
    Guard(
        holds="An erased client is not brought back by a late copy of the dialogue's state",
        file="db/dialogue_state.py",
        on="if kept and cjson.decode(kept).version > tonumber(ARGV[2]) then return 0 end",
        off="",
        test="tests/reliability/test_erasure.py::test_a_copy_of_the_state_that_comes_late_is_not_taken",
    ),
    Guard(
        holds="What admins did cannot be changed unnoticed",
        file="db/audit.py",
        on="if entry_hash(head, values) != entry.hash:",
        off="if not head:",
        test="tests/db/test_audit.py::test_the_first_broken_link_is_named",
    ),
    Guard(
        holds="What admins did is changed by nobody, the owner of the database included",
        file="db/migrations/versions/0010_audit.sql",
        on="CREATE TRIGGER audit_entries_stand BEFORE UPDATE OR DELETE ON audit_entries",
        off="CREATE TRIGGER audit_entries_stand BEFORE DELETE ON audit_entries",
        test="tests/db/test_audit.py::test_nobody_changes_what_stands_there_neither_we_nor_the_owner",
    ),
    Guard(
        holds="A worker that lost its lease commits nothing",
        file="db/work.py",
        on='work.c.fence == bindparam("held_fence"),',
        off='bindparam("held_fence") > 0,',
        test="tests/db/test_work.py::test_a_lost_lease_is_taken_over_counted_and_the_late_commit_is_refused_whole",
    ),
    # ---- what the model may say and see ------------------------------------------------------------------------------
    Guard(
        holds="A write is never told as done by the model",
        file="orchestration/guards/review.py",
        on="if deed := find_deed(reply):",
        off="if deed := None:",
        test="tests/orchestration/guards/test_claims.py::test_a_deed_is_never_the_models_to_tell",
    ),
    Guard(
        holds="A visit stands only where it was read",
        file="orchestration/guards/review.py",
        on="if standing and not _stands(standing, evidence):",
        off="if False:",
        test="tests/orchestration/guards/test_claims.py::test_a_claim_without_a_read_record_is_held_back",
    ),
    Guard(
        holds="A figure that was not given is not said",
        file="orchestration/guards/review.py",
        on="                yield figure\n        about_services",
        off="                pass\n        about_services",
        test="tests/orchestration/guards/test_figures.py::test_what_was_not_given_may_not",
    ),
    Guard(
        holds="Nothing is promised for the company",
        file="orchestration/guards/review.py",
        on="if promise := find_promise(reply, published=published):",
        off="if promise := None:",
        test="tests/orchestration/guards/test_promises.py::test_a_promise_is_held_back",
    ),
    Guard(
        holds="No advice on health",
        file="orchestration/guards/review.py",
        on="if advice := find_advice(reply):",
        off="if advice := None:",
        test="tests/orchestration/guards/test_promises.py::test_medical_advice_is_held_back",
    ),
    Guard(
        holds="Rules, tools and ids are not told",
        file="orchestration/guards/review.py",
        on="if secret := find_secret(reply, rules=evidence.rules, tools=evidence.tools):",
        off="if secret := None:",
        test="tests/orchestration/guards/test_secrets.py::test_what_is_internal_is_held_back",
    ),
    Guard(
        holds="No link or address from nowhere",
        file="orchestration/guards/review.py",
        on="if address := find_foreign_address(reply, known=[*evidence.texts, evidence.client_words]):",
        off="if address := None:",
        test="tests/orchestration/guards/test_secrets.py::test_an_address_from_nowhere_is_held_back",
    ),
    Guard(
        holds="A person's data is hidden from the model",
        file="orchestration/masking.py",
        on="if request.private is None:",
        off="if True:",
        test="tests/orchestration/test_masking.py::test_a_persons_data_is_not_shown_to_the_model",
    ),
    # ---- the staff's console ----------------------------------------------------------------------------------------
    Guard(
        holds="The console takes a form of the session's own pages only",
        file="bot/console/gate.py",
        on='if not hmac.compare_digest(given.encode(errors="replace"), visitor.csrf.encode()):',
        off="if False:",
        test="tests/bot/console/test_forms.py::test_the_form_of_a_colleagues_session_is_refused",
    ),
    Guard(
        holds="The console takes nothing that another site sends",
        file="bot/console/gate.py",
        on='if not here or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):',
        off="if False:",
        test="tests/bot/console/test_forms.py::test_a_sign_in_that_another_site_sends_is_refused",
    ),
    Guard(
        holds="A link opens the console once",
        file="db/console.py",
        on="links.used_at.is_(None),",
        off="links.until.is_not(None),",
        test="tests/bot/console/test_entrance.py::test_a_link_that_was_used_opens_nothing_more",
    ),
    Guard(
        holds="Whoever is dismissed is out of the console with the next request",
        file="db/console.py",
        on="staff.c.dismissed_at.is_(None),",
        off="staff.c.id.is_not(None),",
        test="tests/bot/console/test_entrance.py::test_whoever_is_dismissed_is_out_with_the_next_click",
    ),
    Guard(
        holds="An administrator of a branch is shown its dialogues only",
        file="db/shown_dialogues.py",
        on="return statement if branches is None else statement.where(_of_branches(branches))",
        off="return statement",
        test="tests/bot/console/test_roles.py::test_an_administrator_of_a_branch_sees_its_dialogues_and_those_of_none",
    ),
    Guard(
        holds="What staff try out in the console is not carried out",
        file="orchestration/confirmation.py",
        on="if not turn.carries_out:",
        off="if False:",
        test="tests/bot/console/test_answering.py::test_nothing_that_a_preview_says_yes_to_is_carried_out",
    ),
)
