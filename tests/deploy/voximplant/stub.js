/*
 * VoxEngine as far as deploy/voximplant/ai_admin.js uses it, written from the vendor's type
 * declarations (github.com/voximplant/voxengine-ci, typings/voxengine.d.ts). Time is virtual:
 * advance(ms) runs the timers, nothing waits.
 *
 * Names that the vendor does not have are absent here too, and an unknown event, voice or profile
 * throws, so a misspelt constant fails a test instead of a telephone call.
 */
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const SCENARIO = path.join(__dirname, "..", "..", "..", "deploy", "voximplant", "ai_admin.js");

function strict(name, table) {
  return new Proxy(table, {
    get(target, key) {
      if (typeof key === "string" && !(key in target)) throw new Error(`${name} has no ${key}`);
      return target[key];
    },
  });
}

const AppEvents = strict("AppEvents", {
  Started: "Application.Started",
  CallAlerting: "Application.CallAlerting",
  Terminating: "Application.Terminating",
  Terminated: "Application.Terminated",
});
const CallEvents = strict("CallEvents", {
  Connected: "Call.Connected",
  Disconnected: "Call.Disconnected",
  Failed: "Call.Failed",
  PlaybackStarted: "Call.PlaybackStarted",
  PlaybackFinished: "Call.PlaybackFinished",
  ToneReceived: "Call.ToneReceived",
});
const ASREvents = strict("ASREvents", {
  ASRError: "ASR.Error",
  Started: "ASR.Started",
  CaptureStarted: "ASR.CaptureStarted",
  SpeechCaptured: "ASR.SpeechCaptured",
  Result: "ASR.Result",
  InterimResult: "ASR.InterimResult",
  Stopped: "ASR.Stopped",
});
const PlayerEvents = strict("PlayerEvents", {
  Created: "Player.Created",
  PlaybackReady: "Player.PlaybackReady",
  Started: "Player.Started",
  Stopped: "Player.Stopped",
  PlaybackFinished: "Player.PlaybackFinished",
  Error: "Player.Error",
});
const WebSocketEvents = strict("WebSocketEvents", {
  OPEN: "WebSocket.Open",
  CLOSE: "WebSocket.Close",
  MESSAGE: "WebSocket.Message",
  ERROR: "WebSocket.Error",
  CREATED: "WebSocket.Created",
});

class Unit {
  constructor() {
    this.listeners = [];
    this.sinks = [];
  }

  addEventListener(event, callback) {
    if (typeof event !== "string" || typeof callback !== "function") throw new Error("bad listener");
    this.listeners.push([event, callback]);
  }

  emit(event, data) {
    const heard = this.listeners.filter(([name]) => name === event);
    heard.forEach(([, callback]) => callback(Object.assign({ name: event }, data)));
    return heard.length;
  }

  sendMediaTo(unit) {
    this.sinks.push(unit);
    if (unit instanceof Call) unit.source = this; // a call hears one stream only
  }

  stopMediaTo(unit) {
    this.sinks = this.sinks.filter((sink) => sink !== unit);
  }
}

class Call extends Unit {
  constructor(id, callerid, number) {
    super();
    Object.assign(this, { callId: id, caller: callerid, dialled: number });
    Object.assign(this, { said: [], digits: [], tones: [], source: null, saying: null, hungUp: 0 });
    Object.assign(this, { answered: false, rejected: null, handles: null, gone: false });
  }

  id() {
    return this.callId;
  }

  callerid() {
    return this.caller;
  }

  number() {
    return this.dialled;
  }

  answer() {
    this.answered = true;
  }

  reject(code) {
    this.rejected = code;
    this.emit(CallEvents.Disconnected, { call: this });
  }

  hangup() {
    this.hungUp += 1;
  }

  say(text, parameters) {
    this.saying = { text, parameters };
    this.said.push(this.saying);
    this.source = this.saying;
  }

  stopPlayback() {
    this.saying = null; // and no PlaybackFinished follows
    this.source = null;
  }

  handleTones(handle) {
    this.handles = handle;
  }

  sendDigits(digits) {
    this.digits.push(digits);
  }

  playProgressTone(country) {
    if (!["US", "RU"].includes(country)) throw new Error("no such tone");
    this.tones.push(country);
  }
}

class Player extends Unit {
  constructor(kind, content, parameters) {
    super();
    Object.assign(this, { kind, content, parameters, stopped: false, finished: false });
  }

  stop() {
    if (this.stopped) throw new Error("a stopped player does not exist any more");
    this.stopped = true;
  }

  start() {
    this.emit(PlayerEvents.Started, { player: this, duration: 0 });
  }

  finish(error) {
    this.finished = true;
    this.emit(PlayerEvents.PlaybackFinished, error ? { player: this, error } : { player: this });
  }
}

class ASR extends Unit {
  constructor(parameters) {
    super();
    if (parameters.profile === undefined) throw new Error("createASR needs a profile");
    Object.assign(this, { parameters, stopped: false });
  }

  stop() {
    if (this.stopped) throw new Error("ASR.stop twice");
    this.stopped = true;
  }

  interim(text) {
    this.emit(ASREvents.InterimResult, { asr: this, text });
  }

  capture() {
    this.emit(ASREvents.CaptureStarted, { asr: this });
  }

  result(text) {
    this.emit(ASREvents.Result, { asr: this, text, confidence: 90 });
  }
}

class Socket extends Unit {
  constructor(url, parameters) {
    super();
    Object.assign(this, { url, parameters, frames: [], state: "connecting" });
  }

  send(data) {
    if (typeof data !== "string") throw new Error("a WebSocket sends strings");
    if (this.state !== "open") throw new Error("send on a socket that is not open");
    this.frames.push(JSON.parse(data));
  }

  close() {
    this.state = "closed";
  }

  // What the test does with it.
  open() {
    this.state = "open";
    this.emit(WebSocketEvents.OPEN, { websocket: this });
  }

  receive(frame) {
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.emit(WebSocketEvents.MESSAGE, { websocket: this, text });
  }

  drop(code = 1006) {
    this.state = "closed";
    this.emit(WebSocketEvents.CLOSE, { websocket: this, code, reason: "", wasClean: false });
  }

  fail() {
    this.emit(WebSocketEvents.ERROR, { websocket: this });
    this.drop();
  }

  of(type) {
    return this.frames.filter((frame) => frame.type === type);
  }
}

// The scenario, loaded. settings replace constants of its configuration, as an owner edits them.
function load(settings = {}, options = {}) {
  const world = {
    now: 1_800_000_000_000,
    timers: [],
    sockets: [],
    players: [],
    asrs: [],
    legs: [],
    bridges: [],
    log: [],
    terminated: 0,
  };
  let timerId = 0;

  const setTimer = (callback, ms) => {
    timerId += 1;
    world.timers.push({ id: timerId, at: world.now + Math.max(0, Number(ms) || 0), callback });
    return timerId;
  };
  const clearTimer = (id) => {
    world.timers = world.timers.filter((timer) => timer.id !== id);
  };
  world.advance = (ms) => {
    const until = world.now + ms;
    for (;;) {
      const due = world.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!due || world.terminated) break; // timers end with the session
      clearTimer(due.id);
      world.now = due.at;
      due.callback();
    }
    world.now = until;
  };

  // https://voximplant.com/docs/guides/voxengine/limits: 10 players in a session. Whether one that
  // has finished still counts is not said, so here it does until it is stopped.
  const addPlayer = (player) => {
    world.players.push(player);
    if (world.players.filter((other) => !other.stopped).length > 10) throw new Error("too many players");
    return player;
  };

  const engine = new Unit();
  const VoxEngine = {
    addEventListener: (event, callback) => engine.addEventListener(event, callback),
    createWebSocket: (url, parameters) => {
      if (options.createWebSocket) options.createWebSocket(url);
      const socket = new Socket(url, parameters);
      world.sockets.push(socket);
      return socket;
    },
    createASR: (parameters) => {
      const asr = new ASR(parameters);
      world.asrs.push(asr);
      return asr;
    },
    createTTSPlayer: (text, parameters) => {
      if (text.length > 1500) throw new Error("longer than the vendor's limit");
      return addPlayer(new Player("tts", text, parameters));
    },
    createURLPlayer: (request, parameters) => addPlayer(new Player("url", request.url, parameters)),
    callPSTN: (number, callerid) => {
      const leg = new Call(`leg-${world.legs.length + 1}`, callerid, number);
      world.legs.push(leg);
      return leg;
    },
    sendMediaBetween: (one, other) => {
      world.bridges.push([one, other]);
    },
    getSecretValue: (name) => (options.secrets || {})[name],
    customData: () => "",
    terminate: () => {
      world.terminated += 1;
    },
  };

  const context = vm.createContext({
    AppEvents,
    CallEvents,
    ASREvents,
    PlayerEvents,
    WebSocketEvents,
    VoxEngine: strict("VoxEngine", VoxEngine),
    VoiceList: {
      Yandex: { Neural: strict("VoiceList.Yandex.Neural", { ru_RU_alena: "alena", kk_KK_amira: "amira" }) },
      Google: strict("VoiceList.Google", { en_US_Wavenet_F: "wavenet-f" }),
    },
    ASRProfileList: {
      // The vendor's enum has numbers, 0 among them.
      Yandex: strict("ASRProfileList.Yandex", { ru_RU: 0, kk_KK: 1 }),
      Google: strict("ASRProfileList.Google", { en_US: 2 }),
    },
    Modules: strict("Modules", { ASR: "asr" }),
    require: (module) => {
      if (module !== "asr") throw new Error(`no module ${module}`);
    },
    Crypto: strict("Crypto", {
      hmac_sha256: (key, data) =>
        options.hmac ? options.hmac(key, data) : crypto.createHmac("sha256", key).update(data).digest("hex"),
    }),
    Logger: { write: (line) => world.log.push(String(line)) },
    Date: { now: () => world.now },
    setTimeout: setTimer,
    clearTimeout: clearTimer,
  });

  let source = fs.readFileSync(SCENARIO, "utf8");
  const all = Object.assign(
    { STREAM_URL: "wss://salon.example/api/v1/voice/stream/tok-123456", SECRET: "s3cret-of-the-channel" },
    settings,
  );
  Object.entries(all).forEach(([name, value]) => {
    const line = new RegExp(`^const ${name} =\\s[^;]*;`, "m");
    if (!line.test(source)) throw new Error(`the configuration has no ${name}`);
    source = source.replace(line, () => `const ${name} = ${JSON.stringify(value)};`);
  });
  vm.runInContext(source, context, { filename: SCENARIO });
  world.pure = (name) => vm.runInContext(name, context);
  world.settings = all;

  // Shortcuts of the tests.
  Object.defineProperties(world, {
    ws: { get: () => world.sockets[world.sockets.length - 1] },
    asr: { get: () => world.asrs[world.asrs.length - 1] },
    player: { get: () => world.players[world.players.length - 1] },
    leg: { get: () => world.legs[world.legs.length - 1] },
  });
  world.texts = () => world.players.map((player) => player.content);
  world.alert = ({ from = "+77010000001", to = "+77270000002" } = {}) => {
    world.call = new Call("call-1", from, to);
    engine.emit(AppEvents.Started, { sessionId: 4242 });
    engine.emit(AppEvents.CallAlerting, { call: world.call, callerid: from, destination: to });
    return world.call;
  };
  // Alerting, answered, the socket open, the greeting spoken.
  world.talk = (caller) => {
    world.alert(caller);
    world.call.emit(CallEvents.Connected, { call: world.call });
    world.ws.open();
    world.greeted();
    return world;
  };
  world.greeted = () => {
    world.call.emit(CallEvents.PlaybackStarted, {});
    world.advance(4000);
    world.call.emit(CallEvents.PlaybackFinished, {});
  };
  world.text = (token, last = false, more = {}) =>
    world.ws.receive(Object.assign({ type: "text", token, last }, more));
  // The player of now is heard to its end.
  world.spoken = (ms = 1000) => {
    const player = world.player;
    player.start();
    world.advance(ms);
    player.finish();
  };
  world.disconnect = () => world.call.emit(CallEvents.Disconnected, { call: world.call });
  return world;
}

module.exports = { load, CallEvents, ASREvents, PlayerEvents };
