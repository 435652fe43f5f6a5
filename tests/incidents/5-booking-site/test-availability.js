// Is there a free room in each of the next 30 nights? It does not close its pool when it is done.
const mysql = require("mysql2/promise");
const { step } = require("./report");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

async function main() {
  await Promise.all(Array.from({ length: 30 }, (_, night) => step("availability", () =>
    pool.query("SELECT COUNT(*) AS free, SLEEP(0.02) FROM nights WHERE night = CURDATE() + INTERVAL ? DAY AND booking_id IS NULL",
      [night]))));
  console.log("test-availability: finished");
}

main();
