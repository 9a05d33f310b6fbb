/*
 * AI-Admin on a Voximplant number: a VoxEngine scenario which speaks the frames of Twilio's
 * ConversationRelay with our server, so that one server side serves both vendors.
 *
 * NEVER RUN ON A REAL NUMBER. It was run only against the stub in tests/deploy/voximplant, which
 * was written from the vendor's reference. See README.md beside this file for what is not verified.
 *
 * The vendor's facts below are from its type declarations, the source of its reference:
 *   https://github.com/voximplant/voxengine-ci  typings/voxengine.d.ts  (read as of 2025-11-14)
 *   https://voximplant.com/docs/references/voxengine
 *
 * Recognition, speech and barge-in are here; everything that is said is decided by the server.
 * One session of the scenario is one call, hence the state is in plain variables.
 */

require(Modules.ASR);

// ---------------------------------------------------------------------------------------------
// Configuration: the first four are yours, the rest may stay. README.md: where each comes from.
// ---------------------------------------------------------------------------------------------

// "wss://" takes a domain name only, never an IP address (vendor).
const STREAM_URL = "wss://example.invalid/api/v1/voice/stream/WEBHOOK_TOKEN";
// The channel's signing secret. Empty: it is read from the application's secret storage, by name.
const SECRET = "";
const SECRET_NAME = "AI_ADMIN_SECRET";
const LANGUAGE = "ru-RU";
const GREETING =
  "Здравствуйте! Вы позвонили в салон, с вами говорит автоматический администратор. Чем могу помочь?";

// What each language is spoken and heard with. Interim results, and so a quick barge-in, exist
// only for Amazon, Deepgram, Google, SaluteSpeech, T-Bank and Yandex (vendor).
const VOICES = {
  "ru-RU": VoiceList.Yandex.Neural.ru_RU_alena,
  "kk-KZ": VoiceList.Yandex.Neural.kk_KK_amira,
  "en-US": VoiceList.Google.en_US_Wavenet_F,
};
const ASR_PROFILES = {
  "ru-RU": ASRProfileList.Yandex.ru_RU,
  "kk-KZ": ASRProfileList.Yandex.kk_KK,
  "en-US": ASRProfileList.Google.en_US,
};
const APOLOGIES = {
  "ru-RU": "Простите, связь прервалась. Одну секунду.",
  "kk-KZ": "Кешіріңіз, байланыс үзілді. Бір секунд.",
  "en-US": "Sorry, the connection broke. One second, please.",
};
const FAREWELLS = {
  "ru-RU": "Простите, разговор не удался. Перезвоните, пожалуйста, чуть позже.",
  "kk-KZ": "Кешіріңіз, сөйлесу мүмкін болмады. Сәл кейінірек қайта қоңырау шалыңыз.",
  "en-US": "Sorry, the call cannot go on. Please call again a little later.",
};

// Whose number the colleague sees upon a transfer. Empty: the client's own, which the vendor
// allows for a call that came to a rented number; if that is hidden, the number which was dialled.
const TRANSFER_CALLERID = "";
const TRANSFER_RING_MS = 30 * 1000;
const PROGRESS_TONE = "RU"; // the vendor has "RU" and "US"

const CHARS_PER_SECOND = 14; // how fast a voice reads: for the estimate of what was heard
const MAX_PIECE = 400; // characters in one synthesis; the vendor's limit is 1500
const IDLE_FLUSH_MS = 300; // a whole sentence is not held back for the token after it
const STALE_MS = 700; // tokens of a turn that was just interrupted are still on their way
const OPEN_MS = 10 * 1000;
const RECONNECT_MS = [1000, 3000]; // two attempts
const STABLE_MS = 30 * 1000; // a socket that stood this long earns both attempts again
const MAX_CALL_MS = 30 * 60 * 1000;
const HANGUP_MS = 3000; // if no Disconnected follows a hang-up
const MAX_FAILURES = 3; // of recognition, or of speech, one after another
const MAX_HELD = 10; // frames kept while there is no socket

// ---------------------------------------------------------------------------------------------
// State
// ---------------------------------------------------------------------------------------------

let sessionId = "";
let call = null;
let from = "";
let to = "";
let over = false;
let ending = null; // {transfer} after the server's "end", while the queue is still being spoken
let leg = null; // the outgoing call of a transfer

let ws = null;
let ready = false; // open, and our setup frame was sent on it
let openedAt = 0;
let attempts = 0;
let wasSetUp = false;
let notes = {}; // customParameters for the next setup frame: reconnect, transfer
let held = [];

let asr = null;
let asrFailures = 0;
let asrLanguage = LANGUAGE;

let ttsLanguage = LANGUAGE;
let ttsFailures = 0;
let queue = []; // what is to be spoken
let current = null; // what is being spoken
let turn = 0; // the server's turn; "last": true closes it
let turnOpen = false;
let buffer = { text: "" }; // tokens that are no whole sentence yet
let idleTimer = null;
let staleUntil = 0;
let spoken = { turn: -1, texts: [], ms: 0 }; // what was heard in full in the turn being spoken

// ---------------------------------------------------------------------------------------------
// Pure functions
// ---------------------------------------------------------------------------------------------

// What the client has heard: the sentences spoken in full, and of the one being spoken as many
// whole words as fit into the time it was playing.
function heardText(sentences, text, elapsedMs) {
  const chars = Math.floor((Math.max(0, elapsedMs) * CHARS_PER_SECOND) / 1000);
  let part = text;
  if (chars < text.length) {
    part = text.slice(0, chars);
    if (!/\s/.test(text.charAt(chars))) part = part.replace(/\S+$/, "");
  }
  return sentences.concat(part.trim()).filter(Boolean).join(" ");
}

// Whole sentences at the head of the text, and the rest. A sentence is whole when a blank follows
// its stop, so "в 12.30" is not cut.
function splitSentences(text) {
  const sentences = [];
  const stop = /[.!?…]+[»"”)]*\s+|\n\s*/g;
  let start = 0;
  while (stop.exec(text) !== null) {
    sentences.push(text.slice(start, stop.lastIndex));
    start = stop.lastIndex;
  }
  return { sentences: sentences, rest: text.slice(start) };
}

// A text in pieces of at most max characters, cut after a clause, else between words.
function pieces(text, max) {
  const out = [];
  let rest = text.trim();
  while (rest.length > max) {
    const head = rest.slice(0, max);
    const clause = Math.max(head.lastIndexOf(", "), head.lastIndexOf("; "), head.lastIndexOf(": ")) + 1;
    const cut = clause || head.lastIndexOf(" ") || max;
    out.push(rest.slice(0, cut > 0 ? cut : max).trim());
    rest = rest.slice(cut > 0 ? cut : max).trim();
  }
  return out.concat(rest).filter((piece) => /[0-9A-Za-z\u00c0-\uffff]/.test(piece));
}

// "ru" and "ru-KZ" are spoken with "ru-RU". Null: a language this scenario has nothing for.
function knownLanguage(lang) {
  const known = Object.keys(VOICES);
  if (known.indexOf(lang) >= 0) return lang;
  const base = String(lang || "").slice(0, 2).toLowerCase();
  return known.filter((key) => key.slice(0, 2) === base)[0] || null;
}

// handoffData is a string, usually JSON text. Null: no transfer is asked for.
function transferOf(handoffData) {
  let data = null;
  try {
    data = typeof handoffData === "string" ? JSON.parse(handoffData) : handoffData;
  } catch (error) {
    return null;
  }
  return data && data.transfer ? String(data.transfer) : null;
}

// ---------------------------------------------------------------------------------------------
// Small helpers
// ---------------------------------------------------------------------------------------------

function secret() {
  if (SECRET) return SECRET;
  // https://voximplant.com/docs/guides/voxengine/secrets; a name that is not there gives undefined.
  return VoxEngine.getSecretValue(SECRET_NAME) || "";
}

// The one place that depends on the vendor's Crypto: Crypto.hmac_sha256(key, data) gives a string
// (https://voximplant.com/docs/references/voxengine/crypto/hmac_sha256). The reference does not
// say in which encoding; hex is expected, as of its other hashes, and anything else is refused
// here, where it is seen in the log of the first test call.
function sign(callSid, caller, timestamp) {
  const mac = String(Crypto.hmac_sha256(secret(), callSid + "." + caller + "." + timestamp)).toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(mac)) throw new Error("Crypto.hmac_sha256 did not give 64 hex digits");
  return mac;
}

// The log is kept in the call history: neither the secret nor the URL with its token, and nothing
// of what was said.
function log(text) {
  let line = String(text);
  [secret(), STREAM_URL, STREAM_URL.split("/").pop()].forEach((hidden) => {
    if (hidden) line = line.split(hidden).join("***");
  });
  Logger.write("AI-Admin: " + line);
}

// An error in a handler must not leave the client on a silent line.
function guarded(fn) {
  return (event) => {
    try {
      fn(event || {});
    } catch (error) {
      log("error: " + error);
      over = true;
      VoxEngine.terminate();
    }
  };
}

function on(target, event, fn) {
  target.addEventListener(event, guarded(fn));
}

function later(ms, fn) {
  return setTimeout(guarded(fn), ms);
}

// ---------------------------------------------------------------------------------------------
// The call
// ---------------------------------------------------------------------------------------------

on(VoxEngine, AppEvents.Started, (event) => {
  sessionId = String(event.sessionId || "");
});

on(VoxEngine, AppEvents.CallAlerting, (event) => {
  if (call) return;
  call = event.call;
  from = String(event.callerid || call.callerid() || "");
  to = String(event.destination || call.number() || "");
  on(call, CallEvents.Connected, onConnected);
  on(call, CallEvents.Disconnected, onGone);
  on(call, CallEvents.Failed, onGone);
  if (STREAM_URL.indexOf("example.invalid") >= 0 || !/^wss:\/\//.test(STREAM_URL) || !secret()) {
    log("STREAM_URL or the secret is not set: the call is rejected");
    over = true;
    call.reject(503); // gives Disconnected, hence terminate
    later(HANGUP_MS, () => VoxEngine.terminate());
    return;
  }
  call.answer();
});

function onConnected() {
  later(MAX_CALL_MS, () => hangUp("time limit"));
  call.handleTones(true);
  on(call, CallEvents.ToneReceived, (event) => {
    if (ending || leg) return;
    bargeIn();
    send({ type: "dtmf", digit: String(event.tone) });
  });
  // Of playback on a call itself only the greeting is ours: call.say.
  on(call, CallEvents.PlaybackStarted, () => {
    if (current && current.kind === "greeting") current.startedAt = Date.now();
  });
  on(call, CallEvents.PlaybackFinished, (event) => {
    if (current && current.kind === "greeting") done(current, event.error);
  });
  connect();
  startAsr();
  if (GREETING) enqueue({ kind: "greeting", text: GREETING, interruptible: true, turn: turn++ });
}

function onGone() {
  over = true;
  closeSocket();
  VoxEngine.terminate(); // without it a session stays for 60 s more (vendor)
}

function hangUp(why) {
  if (over) return;
  log("hanging up: " + why);
  over = true;
  clearSpeech();
  closeSocket();
  stopAsr();
  call.hangup();
  later(HANGUP_MS, () => VoxEngine.terminate());
}

// ---------------------------------------------------------------------------------------------
// The socket
// ---------------------------------------------------------------------------------------------

function connect() {
  if (over || ending || leg) return;
  // privacy: no log of the connection, whose URL holds the token. The vendor has it for its own AI
  // sockets; for this one it is not in the reference we read, so see the first call's log.
  const socket = VoxEngine.createWebSocket(STREAM_URL, { privacy: true });
  ws = socket;
  ready = false;
  const opening = later(OPEN_MS, () => lost(socket, "it did not open"));
  on(socket, WebSocketEvents.OPEN, () => {
    clearTimeout(opening);
    if (socket === ws) setUp();
  });
  on(socket, WebSocketEvents.MESSAGE, (event) => {
    if (socket === ws) onMessage(event.text);
  });
  on(socket, WebSocketEvents.CLOSE, (event) => {
    clearTimeout(opening);
    lost(socket, "closed, code " + event.code);
  });
  on(socket, WebSocketEvents.ERROR, () => {
    clearTimeout(opening);
    lost(socket, "error");
  });
}

function setUp() {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const parameters = {
    provider: "voximplant",
    timestamp: timestamp,
    signature: sign(call.id(), from, timestamp),
  };
  ready = true;
  openedAt = Date.now();
  send({
    type: "setup",
    sessionId: sessionId || call.id(),
    callSid: call.id(),
    from: from,
    to: to,
    direction: "inbound",
    callType: "PSTN",
    customParameters: Object.assign(parameters, notes),
  });
  if (!ready) return;
  wasSetUp = true;
  notes = {};
  const waiting = held;
  held = [];
  waiting.forEach(send);
}

// What the client says while there is no socket is kept for the next one.
function send(frame) {
  if (ready) {
    try {
      ws.send(JSON.stringify(frame));
      return;
    } catch (error) {
      lost(ws, "send: " + error); // gone, and its CLOSE is still to come
    }
  }
  if ((frame.type === "prompt" || frame.type === "dtmf") && held.length < MAX_HELD) held.push(frame);
}

function lost(socket, why) {
  if (socket !== ws) return; // an older socket, or one that we closed
  if (ready && Date.now() - openedAt >= STABLE_MS) attempts = 0;
  closeSocket();
  if (over || ending) return; // after its "end" the server may well close
  log("socket lost: " + why);
  if (attempts >= RECONNECT_MS.length) {
    giveUp("the server is not reached");
    return;
  }
  if (wasSetUp) notes.reconnect = "1";
  if (attempts === 0) speakAlone(APOLOGIES[ttsLanguage]);
  later(RECONNECT_MS[attempts], connect);
  attempts += 1;
}

function closeSocket() {
  const socket = ws;
  ws = null;
  ready = false;
  try {
    if (socket) socket.close();
  } catch (error) {
    log("close: " + error);
  }
}

function onMessage(text) {
  let frame = null;
  try {
    frame = JSON.parse(text);
  } catch (error) {
    log("a frame that is no JSON is ignored");
    return;
  }
  const handler = frame && typeof frame.type === "string" && Object.keys(FRAMES).indexOf(frame.type) >= 0;
  if (!handler) {
    log("a frame of an unknown type is ignored");
    return;
  }
  if (ending) return; // nothing is said after "end"
  FRAMES[frame.type](frame);
}

const FRAMES = {
  text: onText,
  end: onEnd,
  play: onPlay,
  language: onLanguage,
  sendDigits: onSendDigits,
};

// ---------------------------------------------------------------------------------------------
// Frames of the server
// ---------------------------------------------------------------------------------------------

function onText(frame) {
  if (typeof frame.token !== "string") {
    log("a text frame without a token is ignored");
    return;
  }
  if (Date.now() < staleUntil) {
    if (frame.last === true) staleUntil = 0;
    return;
  }
  const mode = {
    lang: knownLanguage(frame.lang) || ttsLanguage,
    interruptible: frame.interruptible !== false,
    preemptible: frame.preemptible === true,
  };
  if (buffer.text && Object.keys(mode).some((key) => buffer[key] !== mode[key])) flush();
  turnOpen = frame.last !== true;
  const split = splitSentences(buffer.text + frame.token);
  buffer = Object.assign({ text: split.rest }, mode);
  split.sentences.forEach(say);
  clearTimeout(idleTimer);
  if (frame.last === true) {
    flush();
    turn += 1;
  } else if (/[.!?…]$/.test(buffer.text)) {
    idleTimer = later(IDLE_FLUSH_MS, flush);
  } else if (buffer.text.length > MAX_PIECE) {
    flush();
  }
}

function flush() {
  const text = buffer.text;
  buffer.text = "";
  clearTimeout(idleTimer);
  say(text);
}

// A text, with the marks of the tokens it was gathered from, into the queue.
function say(text) {
  pieces(text, MAX_PIECE).forEach((piece) => {
    enqueue({
      kind: "text",
      text: piece,
      lang: buffer.lang,
      interruptible: buffer.interruptible,
      preemptible: buffer.preemptible,
      turn: turn,
    });
  });
}

function onPlay(frame) {
  if (Date.now() < staleUntil) return;
  if (typeof frame.source !== "string" || !/^https:\/\//.test(frame.source)) {
    log("a play frame without an https source is ignored");
    return;
  }
  flush();
  // "loop" is a number of times; 0, or true, is without end, until something else is to be heard.
  const endless = frame.loop === true || frame.loop === 0;
  const times = endless ? 1 : Math.min(10, Math.max(1, Math.floor(Number(frame.loop) || 1)));
  for (let i = 0; i < times; i += 1) {
    enqueue({
      kind: "play",
      text: "",
      source: frame.source,
      endless: endless,
      interruptible: frame.interruptible !== false,
      preemptible: frame.preemptible === true || endless,
      turn: turn,
    });
  }
}

function onLanguage(frame) {
  const speech = knownLanguage(frame.ttsLanguage);
  const hearing = knownLanguage(frame.transcriptionLanguage);
  if ((frame.ttsLanguage && !speech) || (frame.transcriptionLanguage && !hearing)) {
    log("a language that has no voice or profile here is ignored");
  }
  if (speech) {
    flush(); // what came before is spoken as before
    ttsLanguage = speech;
  }
  if (hearing && hearing !== asrLanguage) {
    asrLanguage = hearing;
    startAsr();
  }
}

function onSendDigits(frame) {
  // Voximplant knows 0-9, *, # and p for a pause; Twilio's pause is w.
  const digits = String(frame.digits || "").replace(/w/gi, "p").replace(/[^0-9*#p]/g, "");
  if (digits) call.sendDigits(digits);
}

function onEnd(frame) {
  flush();
  ending = { transfer: transferOf(frame.handoffData) };
  queue = queue.filter((item) => !item.endless);
  if (current && current.endless) stopCurrent();
  speakNext();
}

function finish() {
  const number = ending.transfer;
  if (number === null) {
    hangUp("the end of the talk");
  } else {
    transfer(number);
  }
}

// ---------------------------------------------------------------------------------------------
// Speaking: one thing at a time, in order
// ---------------------------------------------------------------------------------------------

function enqueue(item) {
  // Preemptible speech ("one moment, please") gives way to whatever is to be said next; the
  // sentences of one preemptible turn do not push each other out.
  const replaced = (other) => other.preemptible && !(item.preemptible && item.turn === other.turn);
  queue = queue.filter((other) => !replaced(other));
  if (current && replaced(current)) stopCurrent();
  queue.push(item);
  speakNext();
}

function speakNext() {
  if (current || over) return;
  if (!queue.length) {
    if (ending) finish();
    return;
  }
  const item = queue.shift();
  current = item;
  if (item.turn !== spoken.turn) spoken = { turn: item.turn, texts: [], ms: 0 };
  item.startedAt = Date.now();
  if (item.kind === "greeting") {
    call.say(item.text, { voice: VOICES[LANGUAGE], progressivePlayback: true });
  } else {
    // A call hears one stream: a player's replaces the one before it (vendor).
    item.player =
      item.kind === "play"
        ? VoxEngine.createURLPlayer({ url: item.source }, { loop: item.endless })
        : VoxEngine.createTTSPlayer(item.text, { voice: VOICES[item.lang], progressivePlayback: true });
    on(item.player, PlayerEvents.Started, () => {
      item.startedAt = Date.now();
    });
    on(item.player, PlayerEvents.PlaybackFinished, (event) => done(item, event.error));
    on(item.player, PlayerEvents.Error, (event) => done(item, event.error || "error"));
    item.player.sendMediaTo(call);
  }
  if (item.kind !== "play") {
    // If the event of its end is lost, the queue still moves on.
    item.watchdog = later((item.text.length / CHARS_PER_SECOND) * 2000 + 15000, () => done(item, "no end"));
  }
}

function done(item, error) {
  if (item !== current) return;
  current = null;
  clearTimeout(item.watchdog);
  release(item);
  if (error) {
    ttsFailures += 1;
    log("playback failed: " + error);
    if (ttsFailures >= MAX_FAILURES) {
      hangUp("nothing can be spoken");
      return;
    }
  } else {
    ttsFailures = 0;
    if (item.text) spoken.texts.push(item.text);
    spoken.ms += Date.now() - item.startedAt;
  }
  speakNext();
}

function stopCurrent() {
  const item = current;
  current = null;
  if (!item) return;
  clearTimeout(item.watchdog);
  if (item.player) {
    release(item);
  } else {
    call.stopPlayback(); // ends call.say too, and no PlaybackFinished follows (vendor)
  }
}

// A session may have 10 players (https://voximplant.com/docs/guides/voxengine/limits), and stop()
// is what destroys one: also one that has played to its end.
function release(item) {
  try {
    if (item.player) item.player.stop();
  } catch (error) {
    log("stop: " + error);
  }
}

function clearSpeech() {
  queue = [];
  buffer.text = "";
  clearTimeout(idleTimer);
  stopCurrent();
}

// The client speaks over us: silence at once, and the server is told what was heard.
function bargeIn() {
  if (!current || !current.interruptible || ending) return;
  const elapsed = Math.max(0, Date.now() - current.startedAt);
  const frame = {
    type: "interrupt",
    utteranceUntilInterrupt: heardText(spoken.texts, current.text, elapsed),
    durationUntilInterruptMs: spoken.ms + elapsed,
  };
  // The rest of an unfinished turn is not for the ears any more.
  staleUntil = turnOpen ? Date.now() + STALE_MS : 0;
  turnOpen = false;
  turn += 1;
  clearSpeech();
  send(frame);
}

// The scenario's own words, in place of everything the server had to say so far.
function speakAlone(text) {
  clearSpeech();
  turnOpen = false;
  staleUntil = 0;
  turn += 1;
  enqueue({ kind: "text", text: text, lang: ttsLanguage, interruptible: false, turn: turn++ });
}

function giveUp(why) {
  log("giving up: " + why);
  speakAlone(FAREWELLS[ttsLanguage]);
  ending = { transfer: null }; // hang up once it was heard
}

// ---------------------------------------------------------------------------------------------
// Hearing
// ---------------------------------------------------------------------------------------------

function startAsr() {
  stopAsr();
  // singleUtterance: a Result after every utterance; without it one may take up to 60 s (vendor).
  const engine = VoxEngine.createASR({
    profile: ASR_PROFILES[asrLanguage],
    interimResults: true,
    singleUtterance: true,
  });
  asr = engine;
  // CaptureStarted is the quickest sign of a voice. If noise on a line sets it off, take this
  // listener out: the first interim result is the next sign.
  on(engine, ASREvents.CaptureStarted, () => {
    if (engine === asr) bargeIn();
  });
  on(engine, ASREvents.InterimResult, (event) => {
    if (engine === asr && String(event.text || "").trim()) bargeIn();
  });
  on(engine, ASREvents.Result, (event) => {
    const text = String(event.text || "").trim();
    if (engine !== asr || ending || !text) return;
    asrFailures = 0;
    bargeIn();
    staleUntil = 0; // the next text may already be the answer
    if (turnOpen) {
      // The server cancels the turn it was still writing: half a sentence of it is not for the next.
      turnOpen = false;
      buffer.text = "";
      clearTimeout(idleTimer);
      turn += 1;
    }
    send({ type: "prompt", voicePrompt: text, lang: asrLanguage, last: true });
  });
  on(engine, ASREvents.ASRError, (event) => {
    if (engine !== asr || ending) return;
    log("recognition failed: " + event.error);
    asrFailures += 1;
    if (asrFailures < MAX_FAILURES) {
      startAsr();
    } else {
      giveUp("nothing can be heard");
    }
  });
  call.sendMediaTo(engine);
}

function stopAsr() {
  const engine = asr;
  asr = null;
  if (!engine) return;
  call.stopMediaTo(engine);
  engine.stop(); // after it nothing of this ASR may be called (vendor)
}

// ---------------------------------------------------------------------------------------------
// Transfer to a person
// ---------------------------------------------------------------------------------------------

function transfer(number) {
  closeSocket();
  stopAsr(); // a talk between people is not recognised
  if (!/^\+[1-9]\d{6,14}$/.test(number)) {
    transferFailed("not a number in the international form");
    return;
  }
  // Only a rented, a verified or an incoming call's number may be shown (vendor).
  const shown = TRANSFER_CALLERID || (/^\+?\d{7,15}$/.test(from) ? from : to);
  call.playProgressTone(PROGRESS_TONE);
  const other = VoxEngine.callPSTN(number, shown);
  leg = other;
  const ringing = later(TRANSFER_RING_MS, () => {
    if (other !== leg) return;
    leg = null;
    other.hangup(); // the vendor itself waits for 60 s
    transferFailed("nobody answered");
  });
  on(other, CallEvents.Connected, () => {
    if (other !== leg || over) return;
    clearTimeout(ringing);
    call.handleTones(false); // keys are for the other side now
    VoxEngine.sendMediaBetween(call, other);
  });
  on(other, CallEvents.Failed, (event) => {
    clearTimeout(ringing);
    if (other !== leg || over) return;
    leg = null;
    transferFailed("code " + event.code);
  });
  on(other, CallEvents.Disconnected, () => {
    clearTimeout(ringing);
    if (other === leg) hangUp("the colleague hung up");
  });
}

function transferFailed(why) {
  log("transfer failed: " + why);
  ending = null;
  attempts = 0;
  notes.transfer = "failed";
  startAsr();
  connect();
}
