// The process's one pool of mysql2 connections, and slots. Settings from the environment and .env: DB_HOST, DB_PORT, DB_USER
// or DB_USERNAME, DB_PASSWORD, DB_NAME or DB_DATABASE, DB_CONNECTION_LIMIT (3). Every connection holds a slot, where slots
// are kept: a gate runs, or somebody has used slots here.
//
//   import {query} from "tidegate";
//   const rows = await query("SELECT * FROM users WHERE id = ?", [7]);
//
// Idle connections do not keep a script alive: it ends when it is done, and the pool is closed then, and on SIGINT and
// SIGTERM.
import {existsSync, readFileSync} from "node:fs";
import mysql from "mysql2/promise";
import {Slots, defaultFolder} from "./slots.js";

export {NoSlot, Slots, acquireConnection, getStats, releaseConnection} from "./slots.js";

const RESTED = 30_000;  // after so long an idle connection is tried before it is used
const AGAIN = new Set([1040, 1203, 1226]);
const NOT_THERE = new Set(["ECONNREFUSED", "ENOENT", "ETIMEDOUT"]);
const PAUSES = [100, 200, 400, 800, 1000];
const sleep = (time) => new Promise((resolve) => setTimeout(resolve, time));

function readSettings(file = ".env") {
  const settings = {};
  for (const line of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
    const found = line.match(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^#]*?))\s*(?:#.*)?$/);
    if (found) settings[found[1]] = found[2] ?? found[3] ?? found[4];
  }
  return {...settings, ...process.env};
}

class Pool {
  #idle = [];
  #line = [];
  #open = new Map();  // connection -> slot

  constructor(settings) {
    this.limit = Math.max(1, Number(settings.DB_CONNECTION_LIMIT) || 3);
    this.options = {
      host: settings.DB_HOST ?? "127.0.0.1", port: Number(settings.DB_PORT ?? 3306),
      user: settings.DB_USER ?? settings.DB_USERNAME, password: settings.DB_PASSWORD,
      database: settings.DB_NAME ?? settings.DB_DATABASE, charset: "utf8mb4", connectTimeout: 5000,
    };
    this.slots = process.env.TIDEGATE_SLOTS || existsSync(defaultFolder()) ? new Slots() : null;
    this.opening = 0;
  }

  async getConnection() {
    while (this.#idle.length > 0) {
      const {connection, since} = this.#idle.pop();
      this.#stream(connection)?.ref();
      if (Date.now() - since < RESTED || (await connection.ping().then(() => true, () => false))) return connection;
      await this.#forget(connection);
    }
    if (this.#open.size + this.opening >= this.limit) {
      const given = await new Promise((resolve) => this.#line.push(resolve));
      return given ?? this.getConnection();
    }
    ++this.opening;
    try {
      return await this.#connect();
    } catch (error) {
      this.#line.shift()?.(null);  // the place that this one had is another's
      throw error;
    } finally {
      --this.opening;
    }
  }

  async query(sql, parameters) {
    const connection = await this.getConnection();
    try {
      const [rows] = await connection.query(sql, parameters);
      return rows;
    } finally {
      await connection.release();
    }
  }

  async end() {
    this.#idle = [];
    await Promise.all([...this.#open.keys()].map((connection) => this.#forget(connection)));
  }

  #stream(connection) {
    return connection.connection.stream;
  }

  // A server that is full, or not there for a moment, is tried five times.
  async #connect() {
    const slot = await this.slots?.acquireConnection();
    try {
      for (let turn = 0; ; ++turn) {
        try {
          return this.#lend(await mysql.createConnection(this.options), slot);
        } catch (error) {
          if (turn >= PAUSES.length || !(AGAIN.has(error.errno) || NOT_THERE.has(error.code))) throw error;
          await sleep(PAUSES[turn]);
        }
      }
    } catch (error) {
      if (slot) await this.slots.releaseConnection(slot);
      throw error;
    }
  }

  #lend(connection, slot) {
    this.#open.set(connection, slot);
    connection.release = () => this.#giveBack(connection);
    connection.on("error", () => this.#forget(connection));  // the server closed it
    return connection;
  }

  async #giveBack(connection) {
    if (!this.#open.has(connection)) return;
    try {
      await connection.rollback();  // what nobody committed
    } catch {
      return this.#forget(connection);
    }
    const next = this.#line.shift();
    if (next) return next(connection);
    this.#stream(connection)?.unref();
    this.#idle.push({connection, since: Date.now()});
  }

  async #forget(connection) {
    if (!this.#open.has(connection)) return;
    const slot = this.#open.get(connection);
    this.#open.delete(connection);
    this.#idle = this.#idle.filter((one) => one.connection !== connection);
    this.#stream(connection)?.ref();
    await connection.end().catch(() => connection.destroy());
    if (slot) await this.slots.releaseConnection(slot);
    this.#line.shift()?.(null);
  }
}

let pool = null;

export function getPool() {
  if (pool === null) {
    pool = new Pool(readSettings());
    process.once("beforeExit", closePool);
    for (const signal of ["SIGINT", "SIGTERM"]) {
      process.once(signal, () => closePool().finally(() => process.kill(process.pid, signal)));
    }
  }
  return pool;
}

export const getConnection = () => getPool().getConnection();
export const query = (sql, parameters) => getPool().query(sql, parameters);

export async function testConnection() {
  return query("SELECT 1 AS one").then((rows) => rows[0].one === 1, () => false);
}

export async function closePool() {
  const closing = pool;
  pool = null;
  await closing?.end();
}
