// Writes each room's calendar, for the portals to fetch. It does not close its pool when it is done.
const mysql = require("mysql2/promise");
const { step } = require("./report");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

async function main() {
  await Promise.all(Array.from({ length: 20 }, (_, room) => step("calendar", async () => {
    const [nights] = await pool.query("SELECT night, booking_id IS NOT NULL AS taken FROM nights WHERE room_id = ? ORDER BY night", [room + 1]);
    await pool.query("REPLACE INTO calendars (room_id, content) VALUES (?, ?)", [room + 1, JSON.stringify(nights)]);
  })));
  console.log("sync-calendar: finished");
}

main();
