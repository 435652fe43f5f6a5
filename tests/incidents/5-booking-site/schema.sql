CREATE TABLE rooms (id INT PRIMARY KEY, name VARCHAR(40) NOT NULL);
CREATE TABLE bookings (id INT AUTO_INCREMENT PRIMARY KEY, guest VARCHAR(40) NOT NULL, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE nights (room_id INT NOT NULL, night DATE NOT NULL, price INT NOT NULL, booking_id INT, PRIMARY KEY (room_id, night), KEY (night));
CREATE TABLE calendars (room_id INT PRIMARY KEY, content TEXT NOT NULL);
INSERT INTO rooms VALUES (1, 'Harbour 1'), (2, 'Harbour 2'), (3, 'Harbour 3'), (4, 'Harbour 4'), (5, 'Garden 1'), (6, 'Garden 2'),
 (7, 'Garden 3'), (8, 'Garden 4'), (9, 'Tower 1'), (10, 'Tower 2'), (11, 'Tower 3'), (12, 'Tower 4'), (13, 'Mill 1'), (14, 'Mill 2'),
 (15, 'Mill 3'), (16, 'Mill 4'), (17, 'Barn 1'), (18, 'Barn 2'), (19, 'Barn 3'), (20, 'Barn 4');
