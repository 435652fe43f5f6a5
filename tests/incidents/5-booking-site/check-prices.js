// Looks for nights whose price is out of line, with a prepared statement. It does not close its pool when it is done.
const mysql = require("mysql2/promise");
const { step } = require("./report");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

async function main() {
  await Promise.all(Array.from({ length: 20 }, (_, room) => step("prices", () =>
    pool.execute("SELECT night, price FROM nights WHERE room_id = ? AND price > 3 * ?", [room + 1, 60]))));
  console.log("check-prices: finished");
}

main();
