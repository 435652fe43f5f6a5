// The booking site: which rooms are free in a night. Its pool is its own, like everybody's.
const http = require("node:http");
const mysql = require("mysql2/promise");

const pool = mysql.createPool({
  host: process.env.DB_HOST, port: Number(process.env.DB_PORT), user: process.env.DB_USER,
  password: process.env.DB_PASSWORD, database: process.env.DB_NAME, waitForConnections: true, connectionLimit: 10,
});

http.createServer(async (request, response) => {
  const began = Date.now();
  try {
    if (request.url !== "/up") {
      await pool.query("SELECT r.id, r.name, n.price FROM rooms r JOIN nights n ON n.room_id = r.id"
        + " WHERE n.night = CURDATE() + INTERVAL ? DAY AND n.booking_id IS NULL", [Math.floor(Math.random() * 60)]);
    }
    response.end(`done page ${Date.now() - began}\n`);
  } catch (error) {
    response.statusCode = 503;
    response.end(`error ${error.errno > 0 ? error.errno : error.code} page ${Date.now() - began} ${error.message}\n`);
  }
}).listen(Number(process.env.SITE_PORT), "127.0.0.1");
