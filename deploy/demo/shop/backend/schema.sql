CREATE TABLE IF NOT EXISTS products (id int PRIMARY KEY, name text NOT NULL, price_cents int NOT NULL);
CREATE TABLE IF NOT EXISTS inventory (product_id int PRIMARY KEY REFERENCES products, stock int NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, product_id int REFERENCES products, quantity int NOT NULL, state text NOT NULL);
CREATE TABLE IF NOT EXISTS users (name text PRIMARY KEY, password_hash bytea NOT NULL);
INSERT INTO products VALUES (1, 'Kettle', 3990), (2, 'Teapot', 2450), (3, 'Cup', 790) ON CONFLICT DO NOTHING;
INSERT INTO inventory VALUES (1, 40), (2, 12), (3, 300) ON CONFLICT DO NOTHING;
INSERT INTO orders VALUES (1, 3, 6, 'sent'), (2, 1, 1, 'open') ON CONFLICT DO NOTHING;
INSERT INTO users VALUES ('probe', sha256(convert_to('tea-time', 'UTF8'))) ON CONFLICT DO NOTHING;
