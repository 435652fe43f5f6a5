CREATE TABLE products (id INT AUTO_INCREMENT PRIMARY KEY, sku VARCHAR(20) NOT NULL UNIQUE, price DECIMAL(8, 2) NOT NULL);
CREATE TABLE stock (product_id INT PRIMARY KEY, quantity INT NOT NULL, synced_at DATETIME);
CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, customer VARCHAR(40) NOT NULL, state VARCHAR(10) NOT NULL,
 created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME);
CREATE TABLE order_lines (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT NOT NULL, product_id INT NOT NULL,
 quantity INT NOT NULL, price DECIMAL(8, 2) NOT NULL, KEY (order_id));
CREATE TABLE order_events (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT NOT NULL, event VARCHAR(40) NOT NULL);
CREATE TABLE api_calls (id INT AUTO_INCREMENT PRIMARY KEY, order_id INT NOT NULL, payload TEXT NOT NULL, answer TEXT NOT NULL);
CREATE TABLE daily_sales (day DATE PRIMARY KEY, orders INT NOT NULL, total DECIMAL(12, 2) NOT NULL);
INSERT INTO products (sku, price) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 20)
 SELECT CONCAT('SKU-', i), 5 + i FROM n;
INSERT INTO stock (product_id, quantity) SELECT id, 500 FROM products;
INSERT INTO orders (customer, state) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 40)
 SELECT CONCAT('customer ', i), 'new' FROM n;
INSERT INTO order_lines (order_id, product_id, quantity, price) SELECT o.id, p.id, 2, p.price
 FROM orders o JOIN products p ON p.id IN (o.id % 20 + 1, (o.id + 7) % 20 + 1);
