CREATE ROLE lims LOGIN PASSWORD 'centrifuge-at-nine';
CREATE ROLE identity LOGIN PASSWORD 'badge-and-lanyard';
CREATE ROLE observer LOGIN PASSWORD 'behind-the-glass' IN ROLE pg_monitor;
CREATE DATABASE lims OWNER lims;
\connect lims
SET ROLE lims;
CREATE TABLE samples (id int PRIMARY KEY, barcode text NOT NULL, panel text NOT NULL, received timestamptz NOT NULL);
CREATE TABLE tubes (id int PRIMARY KEY, sample int NOT NULL, colour text NOT NULL);
CREATE TABLE staff (login text PRIMARY KEY, pin text NOT NULL);
CREATE TABLE orders (id bigserial PRIMARY KEY, panel text NOT NULL, tubes int NOT NULL, placed timestamptz DEFAULT now());
INSERT INTO samples SELECT n, 'MD' || 700000 + n, 'panel ' || n % 14, now() - n * interval '7 minutes' FROM generate_series(1, 500) n;
INSERT INTO tubes SELECT n, 1 + n % 500, (ARRAY['red', 'lavender', 'grey', 'green'])[1 + n % 4] FROM generate_series(1, 240) n;
INSERT INTO staff VALUES ('h.osei', '7714'), ('frontdesk', '0000');
GRANT SELECT ON staff TO identity;
