// Slots for programs that connect by themselves: through the socket of a running gate, else through a child that holds the
// slot (`tidegate exec`). No dependency. docs/slots.md has examples.
//
//   const slot = await acquireConnection();       // waits 30 s at most; throws NoSlot
//   try { ...connect, work, close... } finally { await releaseConnection(slot); }
import {spawn} from "node:child_process";
import {connect} from "node:net";
import {homedir} from "node:os";
import {join} from "node:path";

const RESUME_PAUSE = 200;  // ms between two looks for a gate that has come back

// There was no slot in time.
export class NoSlot extends Error {}

export function defaultFolder() {
  if (process.env.TIDEGATE_SLOTS) return process.env.TIDEGATE_SLOTS;
  const state = process.env.XDG_STATE_HOME;
  return join(state?.startsWith("/") ? state : join(homedir(), ".local/state"), "tidegate/slots");
}

// The gate's answer to a line, and the connection it came on; null: no gate runs there, or it went away.
function askGate(folder, line, until) {
  return new Promise((resolve) => {
    const socket = connect(join(folder, "gate.sock"));
    let heard = "";
    socket.setEncoding("utf8");
    socket.on("error", () => resolve(null));
    socket.on("close", () => resolve(null));
    socket.on("connect", () => socket.write(line));
    socket.on("data", (text) => {
      heard += text;
      if (heard.endsWith(until)) resolve({socket, text: heard.trim()});
    });
  });
}

// The end of a child, with what it said.
function ended(child) {
  return new Promise((resolve) => {
    let said = "", error = "";
    child.stdout?.on("data", (text) => (said += text));
    child.stderr?.on("data", (text) => (error += text));
    child.on("error", (cause) => resolve({code: 127, said, error: String(cause)}));
    child.on("close", (code) => resolve({code, said, error: error.trim()}));
  });
}

export class Slots {
  // name: the pool. folder: where slots live. program: what to hold slots with where no gate runs.
  constructor({name = "default", folder = defaultFolder(), program = process.env.TIDEGATE ?? "tidegate"} = {}) {
    Object.assign(this, {name, folder, program});
  }

  // Waits for a slot, `wait` seconds at most. The slot is held until releaseConnection(), or this process's end.
  async acquireConnection({wait = 30, priority = 0} = {}) {
    const began = Date.now();
    const answer = await this.#ask(wait, priority);
    if (answer?.text.startsWith("OK")) {
      const slot = {number: Number(answer.text.match(/slot=(\d+)/)[1]), priority, waited: (Date.now() - began) / 1000};
      this.#hold(slot, answer.socket);
      return slot;
    }
    answer?.socket.destroy();
    if (answer) throw new NoSlot(`no slot of '${this.name}': ${answer.text}`);
    return this.#acquireByProcess(Math.max(0, wait - (Date.now() - began) / 1000), priority, began);
  }

  #ask(wait, priority, more = "") {
    const command = process.argv.join(" ").replace(/[\x00-\x1f]/g, " ").slice(0, 120);
    return askGate(this.folder, `ACQUIRE ${this.name} wait=${wait.toFixed(3)}s priority=${priority}${more} command=${command}\n`, "\n");
  }

  // Should the gate go, the slot is kept until this process ends, and taken up again where a gate has come back.
  #hold(slot, socket) {
    slot.socket = socket.unref();
    socket.once("close", () => {
      if (!slot.released) slot.resuming = this.#keepResuming(slot);
    });
  }

  async #keepResuming(slot) {
    while (!slot.released && !(await this.#resume(slot))) {
      await new Promise((resolve) => setTimeout(resolve, RESUME_PAUSE).unref());
    }
  }

  async #resume(slot) {
    const answer = await this.#ask(0, slot.priority, ` resume=${slot.number}`);
    if (answer?.text.startsWith(`OK slot=${slot.number} `)) {
      this.#hold(slot, answer.socket);
      return true;
    }
    answer?.socket.destroy();
    return false;
  }

  async releaseConnection(slot) {
    if (slot.socket) {
      await new Promise(setImmediate);  // the end of a gate that is gone is heard first
      slot.released = true;
      if (slot.socket.destroyed) await this.#resume(slot);
      const closed = new Promise((resolve) => slot.socket.once("close", resolve));
      if (!slot.socket.destroyed) slot.socket.ref().destroy(), await closed;
    } else {
      slot.child.ref();
      slot.child.stdin.end();
      await slot.end;
    }
  }

  // active, waiting, peak, max, room and last_update (seconds ago).
  async getStats() {
    const answer = await askGate(this.folder, `STATS ${this.name}\n`, "\n");
    if (answer) {
      answer.socket.destroy();
      const all = Object.fromEntries([...answer.text.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]) => [key, value]));
      const {active, waiting, peak, max, room} = all;
      return {active: +active, waiting: +waiting, peak: +peak, max: +max, room: +room, last_update: parseFloat(all.last_update)};
    }
    const {said, error} = await ended(this.#start(["slots", "--json", this.name]));
    const pool = said && JSON.parse(said).pools[0];
    if (!pool) throw new Error(`slots cannot be read: ${error}`);
    const {active, waiting, peak, max, room} = pool;
    const age = pool.last_update ? Math.max(0, (Date.now() - Date.parse(pool.last_update)) / 1000) : 0;
    return {active, waiting, peak, max, room, last_update: age};
  }

  #start(words) {
    return spawn(this.program, words, {env: {...process.env, TIDEGATE_SLOTS: this.folder}, stdio: ["pipe", "pipe", "pipe"]});
  }

  // The child is `cat` under `tidegate exec`: it ends when this process closes the pipe, or dies.
  async #acquireByProcess(wait, priority, began) {
    const child = this.#start(["exec", "--name", this.name, "--wait", `${Math.round(wait * 1000)}ms`, "--priority", `${priority}`, "--", "cat"]);
    const end = ended(child);
    child.stdin.on("error", () => {});
    child.stdin.write("\n");
    const holds = await Promise.race([new Promise((resolve) => child.stdout.once("data", () => resolve(true))), end.then(() => false)]);
    if (holds) {
      for (const part of [child, child.stdin, child.stdout, child.stderr]) part.unref();
      return {child, end, waited: (Date.now() - began) / 1000};
    }
    const {code, error} = await end;
    if (code === 75) throw new NoSlot(error);
    throw new Error(`no gate runs at ${this.folder}, and ${this.program} gave no slot: ${error}`);
  }
}

const shared = new Slots();
export const acquireConnection = (options) => shared.acquireConnection(options);
export const releaseConnection = (slot) => shared.releaseConnection(slot);
export const getStats = () => shared.getStats();
