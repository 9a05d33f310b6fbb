/*
 * The Voximplant scenario against a stub of VoxEngine: node --test tests/deploy/voximplant/scenario.test.js
 * pytest runs it from tests/deploy/test_voximplant.py.
 */
"use strict";

const assert = require("node:assert");
const crypto = require("node:crypto");
const { test } = require("node:test");

const { load, CallEvents, ASREvents, PlayerEvents } = require("./stub.js");

const plain = (value) => JSON.parse(JSON.stringify(value));

// --- setup -----------------------------------------------------------------------------------

test("an incoming call is answered and the first frame is a signed setup", () => {
  const w = load();
  w.alert();
  assert.strictEqual(w.call.answered, true);
  assert.strictEqual(w.sockets.length, 0, "no socket before the call is connected");
  w.call.emit(CallEvents.Connected, { call: w.call });
  assert.strictEqual(w.ws.url, w.settings.STREAM_URL);
  assert.strictEqual(w.ws.parameters.privacy, true);
  assert.ok(!w.ws.parameters.trace, "a trace is a file with everything that was said");
  w.ws.open();

  const timestamp = String(Math.floor(w.now / 1000));
  const signature = crypto
    .createHmac("sha256", w.settings.SECRET)
    .update(`call-1.+77010000001.${timestamp}`)
    .digest("hex");
  assert.deepStrictEqual(w.ws.frames, [
    {
      type: "setup",
      sessionId: "4242",
      callSid: "call-1",
      from: "+77010000001",
      to: "+77270000002",
      direction: "inbound",
      callType: "PSTN",
      customParameters: { provider: "voximplant", timestamp, signature },
    },
  ]);
});

test("the greeting is said at once, the keys are handled, and the client is heard", () => {
  const w = load({ GREETING: "Добрый день!" });
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  assert.deepStrictEqual(
    w.call.said.map((said) => [said.text, said.parameters.voice]),
    [["Добрый день!", "alena"]],
  );
  assert.strictEqual(w.call.handles, true);
  assert.strictEqual(w.asrs.length, 1);
  assert.deepStrictEqual(w.call.sinks, [w.asr]);
  assert.deepStrictEqual(plain(w.asr.parameters), { profile: 0, interimResults: true, singleUtterance: true });
});

test("the secret may come from the application's secret storage", () => {
  const w = load({ SECRET: "" }, { secrets: { AI_ADMIN_SECRET: "stored" } });
  w.talk();
  const { timestamp, signature } = w.ws.frames[0].customParameters;
  const expected = crypto.createHmac("sha256", "stored").update(`call-1.+77010000001.${timestamp}`).digest("hex");
  assert.strictEqual(signature, expected);
});

test("without a secret, or with the URL of the example, the call is rejected", () => {
  for (const settings of [{ SECRET: "" }, { STREAM_URL: "wss://example.invalid/x" }, { STREAM_URL: "ws://a.example/x" }]) {
    const w = load(settings);
    w.alert();
    assert.strictEqual(w.call.answered, false);
    assert.strictEqual(w.call.rejected, 503);
    assert.ok(w.terminated > 0);
    assert.strictEqual(w.sockets.length, 0);
  }
});

test("a signature that is not hex ends the call with a line in the log", () => {
  const w = load({}, { hmac: () => "bm90IGhleA==" });
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  w.ws.open();
  assert.deepStrictEqual(w.ws.frames, []);
  assert.strictEqual(w.terminated, 1);
  assert.ok(w.log.some((line) => line.includes("64 hex digits")));
});

// --- hearing ---------------------------------------------------------------------------------

test("a recognised utterance is a prompt; an empty one is not", () => {
  const w = load().talk();
  w.asr.result("  ");
  w.asr.result("Хочу записаться на стрижку");
  assert.deepStrictEqual(w.ws.of("prompt"), [
    { type: "prompt", voicePrompt: "Хочу записаться на стрижку", lang: "ru-RU", last: true },
  ]);
  assert.deepStrictEqual(w.ws.of("interrupt"), [], "nothing was playing");
});

test("what is said before the socket is open is sent after the setup", () => {
  const w = load();
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  w.asr.result("Алло");
  w.ws.open();
  assert.deepStrictEqual(
    w.ws.frames.map((frame) => frame.type),
    ["setup", "prompt"],
  );
});

test("keys are sent as dtmf", () => {
  const w = load().talk();
  w.call.emit(CallEvents.ToneReceived, { tone: "5", type: "1" });
  w.call.emit(CallEvents.ToneReceived, { tone: "#", type: "1" });
  assert.deepStrictEqual(w.ws.of("dtmf"), [
    { type: "dtmf", digit: "5" },
    { type: "dtmf", digit: "#" },
  ]);
});

test("recognition that fails is started again, and in the end the call is given up", () => {
  const w = load().talk();
  w.asr.emit(ASREvents.ASRError, { error: "gone" });
  assert.strictEqual(w.asrs.length, 2);
  w.asr.result("Да");
  assert.strictEqual(w.ws.of("prompt").length, 1);
  w.asr.emit(ASREvents.ASRError, { error: "gone" });
  w.asr.emit(ASREvents.ASRError, { error: "gone" });
  w.asr.emit(ASREvents.ASRError, { error: "gone" });
  assert.match(w.player.content, /Перезвоните/);
  w.spoken();
  assert.strictEqual(w.call.hungUp, 1);
  w.disconnect();
  assert.ok(w.terminated > 0);
});

// --- speaking --------------------------------------------------------------------------------

test("tokens are spoken sentence by sentence, in order", () => {
  const w = load().talk();
  w.text("Есть время ");
  w.text("в 12.30 и в 15.00. К");
  assert.deepStrictEqual(w.texts(), ["Есть время в 12.30 и в 15.00."]);
  assert.deepStrictEqual(plain(w.player.parameters), { voice: "alena", progressivePlayback: true });
  assert.strictEqual(w.call.source, w.player);
  w.text("акое удобно?", true);
  assert.strictEqual(w.players.length, 1, "the second waits for the first");
  w.spoken();
  assert.deepStrictEqual(w.texts(), ["Есть время в 12.30 и в 15.00.", "Какое удобно?"]);
  w.spoken();
  w.text("", true);
  w.text(" ... ", true);
  assert.strictEqual(w.players.length, 2, "an empty turn is silent");
  assert.strictEqual(w.call.hungUp, 0);
});

test("the server's words wait for the greeting", () => {
  const w = load();
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  w.ws.open();
  w.text("Слушаю вас.", true);
  assert.strictEqual(w.players.length, 0);
  w.greeted();
  assert.deepStrictEqual(w.texts(), ["Слушаю вас."]);
});

test("a whole sentence without a token after it is not held back", () => {
  const w = load().talk();
  w.text("Сейчас посмотрю.");
  assert.strictEqual(w.players.length, 0);
  w.advance(400);
  assert.deepStrictEqual(w.texts(), ["Сейчас посмотрю."]);
});

test("a text longer than one synthesis is cut between words and nothing is lost", () => {
  const w = load().talk();
  const long = Array.from({ length: 400 }, (_, i) => `слово${i}`).join(" ");
  w.text(long, true);
  for (let i = 0; i < 50 && !w.player.finished; i += 1) w.spoken();
  assert.ok(w.players.length > 1);
  assert.ok(w.texts().every((text) => text.length <= 400));
  assert.strictEqual(w.texts().join(" "), long);
});

test("preemptible speech gives way to what comes next", () => {
  const w = load().talk();
  w.text("Секунду, проверяю. ", false, { preemptible: true });
  w.text("Смотрю расписание. ", false, { preemptible: true });
  const filler = w.player;
  filler.start();
  assert.strictEqual(filler.content, "Секунду, проверяю.");
  w.text("Свободно в три");
  assert.strictEqual(filler.stopped, false, "no silence while the answer is no sentence yet");
  w.text(" часа. ");
  assert.strictEqual(filler.stopped, true);
  assert.deepStrictEqual(w.texts(), ["Секунду, проверяю.", "Свободно в три часа."]);
  w.text("Записать?", true);
  w.spoken();
  assert.deepStrictEqual(w.texts().slice(1), ["Свободно в три часа.", "Записать?"]);
  assert.deepStrictEqual(w.ws.of("interrupt"), [], "the client interrupted nothing");
});

test("a preemptible turn of several sentences does not push itself out", () => {
  const w = load().talk();
  w.text("Одну минуту. Сейчас проверю. ", true, { preemptible: true });
  w.spoken();
  w.spoken();
  assert.deepStrictEqual(w.texts(), ["Одну минуту.", "Сейчас проверю."]);
});

test("a long talk keeps to the vendor's ten players and hundred timers", () => {
  const w = load().talk();
  for (let i = 0; i < 60; i += 1) {
    w.text(`Ответ номер ${i}. Ещё слово.`, true);
    w.spoken();
    w.spoken();
    w.asr.result("Понятно");
  }
  assert.strictEqual(w.players.length, 120);
  assert.ok(w.timers.length < 10, `${w.timers.length} timers`);
  assert.strictEqual(w.terminated, 0);
});

test("of two preemptible turns the later is heard", () => {
  const w = load().talk();
  w.text("Секунду.", true, { preemptible: true });
  w.text("Ещё секунду.", true, { preemptible: true });
  assert.strictEqual(w.players[0].stopped, true);
  assert.deepStrictEqual(w.texts(), ["Секунду.", "Ещё секунду."]);
});

test("a token in another language is spoken with its own voice", () => {
  const w = load().talk();
  w.text("Мастер ");
  w.text("Anna Smith ", false, { lang: "en-US" });
  w.text("свободна.", true);
  w.spoken();
  w.spoken();
  assert.deepStrictEqual(
    w.players.map((player) => [player.content, player.parameters.voice]),
    [
      ["Мастер", "alena"],
      ["Anna Smith", "wavenet-f"],
      ["свободна.", "alena"],
    ],
  );
});

test("speech that cannot be synthesised does not stop the queue; when nothing can, the call ends", () => {
  const w = load().talk();
  w.text("Раз. Два. Три. Четыре.", true);
  w.player.finish("synthesis failed");
  assert.strictEqual(w.player.content, "Два.");
  w.spoken();
  w.player.emit(PlayerEvents.Error, { error: "again" });
  w.player.emit(PlayerEvents.Error, { error: "again" });
  assert.strictEqual(w.call.hungUp, 0);
  w.text("Пять.", true);
  w.player.finish("again");
  assert.strictEqual(w.call.hungUp, 1);
});

test("a player whose end is never reported does not block the queue", () => {
  const w = load().talk();
  w.text("Раз. Два.", true);
  w.player.start();
  w.advance(60_000);
  assert.deepStrictEqual(w.texts(), ["Раз.", "Два."]);
});

test("language: the voice and the recognition change, an unknown language does not", () => {
  const w = load().talk();
  const first = w.asr;
  w.ws.receive({ type: "language", ttsLanguage: "en-US", transcriptionLanguage: "kk" });
  assert.strictEqual(first.stopped, true);
  assert.strictEqual(w.asr.parameters.profile, 1);
  w.text("Hello.", true);
  first.capture();
  assert.strictEqual(w.player.stopped, false);
  assert.strictEqual(w.player.parameters.voice, "wavenet-f");
  w.spoken();
  w.ws.receive({ type: "language", ttsLanguage: "xx-XX", transcriptionLanguage: "xx-XX" });
  first.result("поздно");
  assert.deepStrictEqual(w.ws.of("prompt"), [], "the old recogniser is not listened to");
  w.text("Сәлем.", true, { lang: "kk-KZ" });
  assert.strictEqual(w.player.parameters.voice, "amira");
  w.spoken();
  w.text("Again.", true);
  assert.strictEqual(w.player.parameters.voice, "wavenet-f");
  w.asr.result("Сәлем");
  assert.strictEqual(w.ws.of("prompt")[0].lang, "kk-KZ");
});

test("play: an https source is queued, an endless one stops for what comes next", () => {
  const w = load().talk();
  w.ws.receive({ type: "play", source: "http://insecure.example/a.mp3" });
  assert.strictEqual(w.players.length, 0);
  w.ws.receive({ type: "play", source: "https://salon.example/hold.mp3", loop: 0 });
  assert.strictEqual(w.player.kind, "url");
  assert.strictEqual(w.player.parameters.loop, true);
  const hold = w.player;
  w.text("Готово.", true);
  assert.strictEqual(hold.stopped, true);
  assert.strictEqual(w.player.content, "Готово.");
  w.ws.receive({ type: "play", source: "https://salon.example/bye.mp3", loop: 2 });
  w.spoken();
  w.spoken();
  w.spoken();
  assert.deepStrictEqual(w.texts().slice(1), [
    "Готово.",
    "https://salon.example/bye.mp3",
    "https://salon.example/bye.mp3",
  ]);
});

test("play without an end does not hold up the end of the call", () => {
  const w = load().talk();
  w.ws.receive({ type: "play", source: "https://salon.example/hold.mp3", loop: true });
  w.ws.receive({ type: "end" });
  assert.strictEqual(w.player.stopped, true);
  assert.strictEqual(w.call.hungUp, 1);

  const behind = load().talk();
  behind.text("До свидания.", true);
  behind.ws.receive({ type: "play", source: "https://salon.example/hold.mp3", loop: 0 });
  behind.ws.receive({ type: "end" });
  behind.spoken();
  assert.strictEqual(behind.call.hungUp, 1);
});

test("sendDigits: Twilio's pause becomes the vendor's", () => {
  const w = load().talk();
  w.ws.receive({ type: "sendDigits", digits: "9ww12#x" });
  w.ws.receive({ type: "sendDigits" });
  assert.deepStrictEqual(w.call.digits, ["9pp12#"]);
});

// --- barge-in --------------------------------------------------------------------------------

test("what was heard: whole words for the time that was played", () => {
  const heard = load().pure("heardText"); // 14 characters a second
  assert.strictEqual(heard([], "Свободно в три часа", 0), "");
  assert.strictEqual(heard([], "Свободно в три часа", 500), "", "half a word is no word");
  assert.strictEqual(heard([], "Свободно в три часа", 572), "Свободно", "8 characters");
  assert.strictEqual(heard([], "Свободно в три часа", 900), "Свободно в");
  assert.strictEqual(heard([], "Свободно в три часа", 60_000), "Свободно в три часа");
  assert.strictEqual(heard(["Да.", "Есть."], "Свободно в три", 600), "Да. Есть. Свободно");
  assert.strictEqual(heard(["Да."], "Свободно", 0), "Да.");
  assert.strictEqual(heard([], "", 5000), "");
  assert.strictEqual(heard([], "Свободно", -5), "");
});

test("barge-in: silence at once, and the server learns what was heard", () => {
  const w = load().talk();
  w.text("Добрый день!", true);
  w.spoken(700); // a turn of its own
  w.text("Есть два времени. Свободно в три часа и в пять. Что удобно?", true);
  w.spoken(1200);
  w.player.start();
  w.advance(900);
  w.asr.interim("а");
  assert.strictEqual(w.player.stopped, true);
  assert.deepStrictEqual(w.ws.of("interrupt"), [
    {
      type: "interrupt",
      utteranceUntilInterrupt: "Есть два времени. Свободно в",
      durationUntilInterruptMs: 2100,
    },
  ]);
  w.asr.interim("а завтра");
  w.asr.result("А завтра?");
  assert.strictEqual(w.ws.of("interrupt").length, 1, "once");
  assert.deepStrictEqual(
    w.ws.frames.slice(-2).map((frame) => frame.type),
    ["interrupt", "prompt"],
  );
  w.advance(60_000);
  assert.strictEqual(w.players.length, 3, "the rest of the turn is not spoken");
  w.text("Завтра тоже. И послезавтра.", true);
  w.players[2].finish(); // a late event of the player that was stopped
  assert.strictEqual(w.players.length, 4);
  w.player.start();
  w.advance(100);
  w.asr.capture();
  assert.deepStrictEqual(w.ws.of("interrupt")[1], {
    type: "interrupt",
    utteranceUntilInterrupt: "",
    durationUntilInterruptMs: 100,
  });
});

test("barge-in without interim results: the final result interrupts, then prompts", () => {
  const w = load().talk();
  w.text("Расскажу о ценах.", true);
  w.player.start();
  w.advance(300);
  w.asr.result("Не надо");
  assert.strictEqual(w.player.stopped, true);
  assert.deepStrictEqual(
    w.ws.frames.slice(-2).map((frame) => frame.type),
    ["interrupt", "prompt"],
  );
});

test("the greeting may be interrupted too, and the next words are spoken", () => {
  const w = load({ GREETING: "Здравствуйте! Это салон." });
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  w.ws.open();
  w.call.emit(CallEvents.PlaybackStarted, {});
  w.advance(1000);
  w.asr.capture();
  assert.strictEqual(w.call.saying, null);
  assert.strictEqual(w.ws.of("interrupt")[0].utteranceUntilInterrupt, "Здравствуйте!");
  w.asr.result("Сколько стоит стрижка?");
  w.text("Пять тысяч.", true);
  assert.deepStrictEqual(w.texts(), ["Пять тысяч."]);
});

test("tokens of an interrupted turn that are still on their way are not spoken", () => {
  const w = load().talk();
  w.text("Первое предложение. ");
  w.player.start();
  w.advance(200);
  w.asr.capture();
  w.text("Второе, опоздавшее. ");
  w.ws.receive({ type: "play", source: "https://salon.example/late.mp3" });
  assert.strictEqual(w.players.length, 1);
  w.asr.result("Стоп");
  w.text("Слушаю вас.", true);
  assert.deepStrictEqual(w.texts(), ["Первое предложение.", "Слушаю вас."]);
});

test("after a noise that gave no words the server can speak again", () => {
  const w = load().talk();
  w.text("Первое предложение. ");
  w.player.start();
  w.asr.capture();
  w.advance(2000);
  w.text("Вы здесь?", true);
  assert.strictEqual(w.player.content, "Вы здесь?");
});

test("half a sentence of a cancelled turn does not become the head of the next", () => {
  const w = load().talk();
  w.text("Мы работаем с ");
  w.asr.result("А по субботам?");
  w.text("По субботам с десяти.", true);
  assert.deepStrictEqual(w.texts(), ["По субботам с десяти."]);
});

test("speech that may not be interrupted goes on, and the words are sent", () => {
  const w = load().talk();
  w.text("Разговор записывается.", true, { interruptible: false });
  w.player.start();
  w.asr.interim("алло");
  w.asr.result("Алло");
  assert.strictEqual(w.player.stopped, false);
  assert.deepStrictEqual(w.ws.of("interrupt"), []);
  assert.strictEqual(w.ws.of("prompt").length, 1);
});

// --- the end ---------------------------------------------------------------------------------

test("end: hang up when everything was spoken", () => {
  const w = load().talk();
  w.text("До свидания. Хорошего дня", false);
  w.ws.receive({ type: "end", handoffData: '{"reason":"done"}' });
  w.text("Это уже лишнее.", true);
  w.spoken();
  assert.strictEqual(w.call.hungUp, 0);
  w.asr.interim("и вам");
  assert.strictEqual(w.player.stopped, false, "the farewell is not interrupted");
  w.ws.drop(1000);
  w.spoken();
  assert.deepStrictEqual(w.texts(), ["До свидания.", "Хорошего дня"]);
  assert.strictEqual(w.call.hungUp, 1);
  assert.strictEqual(w.terminated, 0);
  w.disconnect();
  assert.strictEqual(w.terminated, 1);
  assert.strictEqual(w.sockets.length, 1, "the server's close after its end is no loss");
});

test("end with nothing to say, without data or with data that is no JSON, hangs up at once", () => {
  for (const frame of [{ type: "end" }, { type: "end", handoffData: "bye" }, { type: "end", handoffData: "null" }]) {
    const w = load().talk();
    w.ws.receive(frame);
    assert.strictEqual(w.call.hungUp, 1);
    w.advance(5000); // and no Disconnected comes
    assert.ok(w.terminated > 0);
  }
});

test("the client hangs up: the socket is closed and the session terminated", () => {
  const w = load().talk();
  w.text("Я ещё говорю. И ещё.", true);
  w.disconnect();
  assert.strictEqual(w.ws.state, "closed");
  assert.strictEqual(w.terminated, 1);
  w.player.finish();
  assert.strictEqual(w.players.length, 1);
});

test("a call cannot last longer than its limit", () => {
  const w = load().talk();
  w.advance(30 * 60 * 1000 + 5000);
  assert.strictEqual(w.call.hungUp, 1);
  assert.strictEqual(w.ws.state, "closed");
  assert.ok(w.terminated > 0);
});

// --- transfer --------------------------------------------------------------------------------

function transferring(w, transfer = "+77015554433") {
  w.text("Соединяю.", true);
  w.ws.receive({ type: "end", handoffData: JSON.stringify({ reason: "asked", transfer }) });
  w.spoken();
  return w;
}

test("transfer: the colleague is called after the last words, and the two are connected", () => {
  const w = load().talk();
  const recogniser = w.asr;
  transferring(w);
  assert.strictEqual(w.call.hungUp, 0);
  assert.deepStrictEqual([w.leg.number(), w.leg.callerid()], ["+77015554433", "+77010000001"]);
  assert.strictEqual(recogniser.stopped, true, "people are not listened to");
  assert.strictEqual(w.ws.state, "closed");
  assert.deepStrictEqual(w.call.tones, ["RU"]);
  w.advance(20_000);
  w.leg.emit(CallEvents.Connected, { call: w.leg });
  assert.deepStrictEqual(w.bridges, [[w.call, w.leg]]);
  assert.strictEqual(w.call.handles, false);
  w.advance(60_000);
  assert.strictEqual(w.leg.hungUp, 0, "the 30 s are for ringing only");
  w.leg.emit(CallEvents.Disconnected, { call: w.leg });
  assert.strictEqual(w.call.hungUp, 1);
  w.disconnect();
  assert.ok(w.terminated > 0);
  assert.strictEqual(w.sockets.length, 1);
});

test("recognition that fails during the last words does not undo the transfer", () => {
  const w = load().talk();
  w.text("Соединяю.", true);
  w.ws.receive({ type: "end", handoffData: '{"transfer":"+77015554433"}' });
  for (let i = 0; i < 4; i += 1) w.asr.emit(ASREvents.ASRError, { error: "gone" });
  w.spoken();
  assert.strictEqual(w.legs.length, 1);
});

test("transfer: the caller id may be set, and a hidden number is not shown", () => {
  const set = transferring(load({ TRANSFER_CALLERID: "+77270000099" }).talk());
  assert.strictEqual(set.leg.callerid(), "+77270000099");
  const hidden = transferring(load().talk({ from: "anonymous" }));
  assert.strictEqual(hidden.leg.callerid(), "+77270000002");
});

test("transfer that fails returns to the server with a new setup", () => {
  const w = transferring(load().talk());
  const before = w.sockets[0].frames[0];
  w.advance(3000);
  w.leg.emit(CallEvents.Failed, { call: w.leg, code: 486, reason: "Busy" });
  assert.strictEqual(w.sockets.length, 2);
  w.ws.open();
  const setup = w.ws.frames[0];
  assert.strictEqual(setup.callSid, before.callSid);
  assert.strictEqual(setup.customParameters.transfer, "failed");
  assert.notStrictEqual(setup.customParameters.signature, before.customParameters.signature);
  assert.strictEqual(w.asrs.length, 2);
  w.text("Никто не ответил. Записать вас?", true);
  w.spoken();
  w.spoken();
  assert.strictEqual(w.call.hungUp, 0, "the talk goes on");
  w.asr.result("Да");
  assert.strictEqual(w.ws.of("prompt").length, 1);
  w.ws.receive({ type: "end", handoffData: "{}" });
  assert.strictEqual(w.call.hungUp, 1);
});

test("transfer that nobody answers in 30 s fails once", () => {
  const w = transferring(load().talk());
  const { leg } = w;
  w.advance(30_001);
  assert.strictEqual(leg.hungUp, 1);
  assert.strictEqual(w.sockets.length, 2);
  leg.emit(CallEvents.Failed, { call: leg, code: 487 });
  leg.emit(CallEvents.Connected, { call: leg });
  assert.strictEqual(w.sockets.length, 2);
  assert.deepStrictEqual(w.bridges, []);
  w.ws.open();
  assert.strictEqual(w.ws.frames[0].customParameters.transfer, "failed");
});

test("a socket lost after a failed transfer is a reconnect, and no failed transfer", () => {
  const w = transferring(load().talk());
  w.leg.emit(CallEvents.Failed, { call: w.leg, code: 486 });
  w.ws.open();
  w.ws.drop();
  w.advance(1000);
  w.ws.open();
  const { reconnect, transfer } = w.ws.frames[0].customParameters;
  assert.deepStrictEqual([reconnect, transfer], ["1", undefined]);
});

test("the client hangs up while the colleague's telephone rings", () => {
  const w = transferring(load().talk());
  w.disconnect();
  assert.strictEqual(w.terminated, 1);
  w.leg.emit(CallEvents.Failed, { call: w.leg, code: 487 });
  assert.strictEqual(w.sockets.length, 1);
});

test("transfer to something that is no number calls nobody", () => {
  const w = transferring(load().talk(), "sip:someone@example.org");
  assert.strictEqual(w.legs.length, 0);
  w.ws.open();
  assert.strictEqual(w.ws.frames[0].customParameters.transfer, "failed");
});

// --- a lost socket ---------------------------------------------------------------------------

test("a lost socket: an apology, and the same call on a new one", () => {
  const w = load().talk();
  w.text("Я как раз говорю. И ещё.", true);
  const cut = w.player;
  w.ws.drop();
  assert.strictEqual(cut.stopped, true);
  assert.match(w.player.content, /связь прервалась/);
  w.asr.result("Алло, вы тут?");
  assert.strictEqual(w.sockets.length, 1);
  w.advance(1000);
  assert.strictEqual(w.sockets.length, 2);
  w.ws.open();
  const [setup, prompt] = w.ws.frames;
  assert.strictEqual(setup.callSid, "call-1");
  assert.strictEqual(setup.customParameters.reconnect, "1");
  assert.strictEqual(prompt.voicePrompt, "Алло, вы тут?", "what was said meanwhile is kept");
  w.text("Продолжим.", true);
  w.spoken();
  assert.strictEqual(w.player.content, "Продолжим.");
  assert.strictEqual(w.call.said.length, 1, "no second greeting");
});

test("a frame that cannot be sent is a lost socket, not the end of the call", () => {
  const w = load().talk();
  w.ws.state = "closed"; // and no CLOSE yet
  w.asr.result("Алло?");
  w.sockets[0].drop();
  assert.strictEqual(w.terminated, 0);
  w.advance(1000);
  const open = w.ws.open.bind(w.ws);
  w.ws.send = () => {
    throw new Error("gone again");
  };
  open();
  w.advance(3000);
  assert.strictEqual(w.sockets.length, 3);
  w.ws.open();
  assert.deepStrictEqual(
    w.ws.frames.map((frame) => [frame.type, frame.voicePrompt]),
    [
      ["setup", undefined],
      ["prompt", "Алло?"],
    ],
  );
  assert.strictEqual(w.ws.frames[0].customParameters.reconnect, "1");
});

test("two attempts, then a farewell and the end", () => {
  const w = load().talk();
  w.ws.fail();
  w.spoken();
  w.advance(1000);
  w.ws.fail();
  assert.strictEqual(w.players.length, 1, "one apology");
  assert.strictEqual(w.sockets.length, 2);
  w.advance(2999);
  assert.strictEqual(w.sockets.length, 2, "the second attempt waits longer");
  w.advance(1);
  assert.strictEqual(w.sockets.length, 3);
  w.ws.fail();
  assert.strictEqual(w.call.hungUp, 0);
  assert.match(w.player.content, /Перезвоните/);
  w.spoken();
  assert.strictEqual(w.call.hungUp, 1);
  w.advance(60_000);
  assert.strictEqual(w.sockets.length, 3);
  assert.ok(w.terminated > 0);
});

test("a server that takes the socket and closes it at once is not asked for ever", () => {
  const w = load().talk();
  for (let i = 0; i < 10; i += 1) {
    w.ws.drop(1008);
    w.advance(3000);
    if (w.ws.state === "connecting") w.ws.open();
  }
  assert.strictEqual(w.sockets.length, 3);
});

test("a socket that stood for a while earns both attempts again", () => {
  const w = load().talk();
  for (let i = 0; i < 4; i += 1) {
    w.advance(60_000);
    w.ws.drop();
    w.spoken();
    w.advance(1000);
    w.ws.open();
    assert.strictEqual(w.sockets.length, i + 2);
  }
});

test("sockets that never open are given up too", () => {
  const w = load();
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  w.advance(35_000);
  assert.strictEqual(w.sockets.length, 3);
  assert.deepStrictEqual(
    w.sockets.map((socket) => socket.state),
    ["closed", "closed", "closed"],
  );
  w.spoken();
  w.advance(10 * 60_000);
  assert.strictEqual(w.sockets.length, 3);
  assert.strictEqual(w.call.hungUp, 1);
});

test("when the call is given up meanwhile, no new socket is opened", () => {
  const w = load().talk();
  w.ws.drop();
  for (let i = 0; i < 3; i += 1) w.asr.emit(ASREvents.ASRError, { error: "gone" });
  w.advance(2000);
  assert.strictEqual(w.sockets.length, 1);
});

test("a socket that does not open is lost, and the one after the first is no reconnect", () => {
  const w = load();
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  w.advance(10_000);
  assert.match(w.player.content, /связь прервалась/);
  w.advance(1000);
  w.ws.open();
  assert.strictEqual("reconnect" in w.ws.frames[0].customParameters, false, "the server saw no setup yet");
  w.sockets[0].open(); // too late
  assert.deepStrictEqual(w.sockets[0].frames, []);
});

// --- what must not break it ------------------------------------------------------------------

test("malformed and unknown frames are ignored and logged", () => {
  const w = load().talk();
  const before = w.log.length;
  const bad = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "42",
    { type: "nonsense" },
    { type: "constructor" },
    { type: "__proto__" },
    { type: 5 },
    { type: "text" },
    { type: "text", token: 7, last: true },
    { type: "play", source: {} },
    { type: "language", ttsLanguage: {}, transcriptionLanguage: [] },
  ];
  bad.forEach((frame) => w.ws.receive(frame));
  w.ws.receive({ type: "text", token: "Всё ещё здесь.", last: true, lang: "constructor" });
  assert.deepStrictEqual(w.texts(), ["Всё ещё здесь."]);
  assert.strictEqual(w.terminated, 0);
  assert.strictEqual(w.call.hungUp, 0);
  assert.ok(w.log.length - before >= bad.length - 1);
});

test("an error in a handler terminates the session, it does not leave a silent line", () => {
  const w = load({}, {
    createWebSocket: (url) => {
      throw new Error(`cannot reach ${url}`);
    },
  });
  w.alert();
  w.call.emit(CallEvents.Connected, { call: w.call });
  assert.strictEqual(w.terminated, 1);
  assert.ok(w.log.some((line) => line.includes("cannot reach")));
});

test("the log holds no secret, no token and none of the talk", () => {
  const worlds = [];
  const w = load().talk();
  w.asr.result("Меня зовут Айгуль");
  w.text("Записала, Айгуль.", true);
  w.ws.receive("Айгуль {");
  w.ws.receive({ type: "Айгуль" });
  w.ws.fail();
  w.advance(60_000);
  worlds.push(w);
  const failing = load({}, {
    createWebSocket: (url) => {
      throw new Error(`cannot reach ${url}`);
    },
  });
  failing.alert();
  failing.call.emit(CallEvents.Connected, { call: failing.call });
  worlds.push(failing);
  for (const world of worlds) {
    const all = world.log.join("\n");
    assert.ok(all.length > 0);
    for (const hidden of ["s3cret-of-the-channel", "tok-123456", "Айгуль", "+7701"]) {
      assert.ok(!all.includes(hidden), hidden);
    }
  }
});
