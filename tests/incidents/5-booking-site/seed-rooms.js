// Fills in the nights that the rooms can be booked for. It does not close its pool when it is done.
const mysql = require("mysql2/promise");
const { step } = require("./report");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

async function main() {
  const [rooms] = await step("rooms", () => pool.query("SELECT id FROM rooms")) ?? [[]];
  await Promise.all(rooms.map((room) => step("seed", async () => {
    for (let week = 0; week < 9; week++) {
      const nights = Array.from({ length: 7 }, (_, day) => [room.id, week * 7 + day, 60 + (room.id * 7 + day) % 90]);
      await pool.query("INSERT IGNORE INTO nights (room_id, night, price) VALUES "
        + nights.map(() => "(?, CURDATE() + INTERVAL ? DAY, ?)").join(", "), nights.flat());
    }
  })));
  console.log("seed-rooms: finished");
}

main();
