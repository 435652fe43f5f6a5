// Books twelve stays at once and cancels them again. It does not close its pool when it is done.
const mysql = require("mysql2/promise");
const { step } = require("./report");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

async function book(guest) {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const [nights] = await connection.query("SELECT room_id, night FROM nights WHERE booking_id IS NULL AND room_id = ?"
      + " ORDER BY night LIMIT 2 FOR UPDATE", [guest]);
    const [booking] = await connection.query("INSERT INTO bookings (guest) VALUES (?)", [`guest ${guest}`]);
    for (const { room_id, night } of nights) {
      await connection.query("UPDATE nights SET booking_id = ? WHERE room_id = ? AND night = ?", [booking.insertId, room_id, night]);
    }
    await connection.commit();
    return booking.insertId;
  } catch (error) {
    await connection.rollback().catch(() => {});
    throw error;
  } finally {
    connection.release();
  }
}

async function main() {
  const booked = await Promise.all(Array.from({ length: 12 }, (_, guest) => step("booking", () => book(guest + 1))));
  await step("cancel", async () => {
    await pool.query("UPDATE nights SET booking_id = NULL WHERE booking_id IN (?)", [[0, ...booked.filter(Boolean)]]);
  });
  console.log("test-booking: finished");
}

main();
