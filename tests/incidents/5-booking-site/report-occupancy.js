// The month's occupancy, a query a day. It does not close its pool when it is done.
const mysql = require("mysql2/promise");
const { step } = require("./report");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

async function main() {
  await Promise.all(Array.from({ length: 31 }, (_, day) => step("occupancy", () =>
    pool.query("SELECT SUM(booking_id IS NOT NULL) / COUNT(*) AS share, SLEEP(0.02) FROM nights WHERE night = CURDATE() + INTERVAL ? DAY", [day]))));
  console.log("report-occupancy: finished");
}

main();
