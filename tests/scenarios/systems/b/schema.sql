CREATE ROLE freight LOGIN PASSWORD 'hooks-and-crates';
CREATE ROLE people LOGIN PASSWORD 'names-and-faces';
CREATE ROLE onlooker LOGIN PASSWORD 'through-the-fence' IN ROLE pg_monitor;
CREATE DATABASE ledger OWNER freight;
\connect ledger
SET ROLE freight;
CREATE TABLE shipments (id int PRIMARY KEY, depot int NOT NULL, leaves timestamptz NOT NULL);
CREATE TABLE parcels (id int PRIMARY KEY, depot int NOT NULL, grams int NOT NULL);
CREATE TABLE accounts (name text PRIMARY KEY, pass text NOT NULL);
CREATE TABLE bookings (id serial PRIMARY KEY, parcel int NOT NULL, customer text NOT NULL, at timestamptz DEFAULT now());
INSERT INTO shipments SELECT n, n % 7, now() + n * interval '1 hour' FROM generate_series(1, 60) n;
INSERT INTO parcels SELECT n, n % 7, 300 + n * 17 FROM generate_series(1, 220) n;
INSERT INTO accounts VALUES ('olga', 'anchor'), ('counter', 'none');
INSERT INTO bookings (parcel, customer) SELECT n, 'olga' FROM generate_series(1, 25) n;
GRANT SELECT ON accounts TO people;
