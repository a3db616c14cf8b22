CREATE ROLE shop LOGIN PASSWORD 'velvet-and-dust';
CREATE ROLE watcher LOGIN PASSWORD 'from-the-gallery' IN ROLE pg_monitor;
CREATE DATABASE footlight OWNER shop;
\connect footlight
SET ROLE shop;
CREATE TABLE venues (id int PRIMARY KEY, town text NOT NULL, seats int NOT NULL);
CREATE TABLE events (id int PRIMARY KEY, title text NOT NULL, venue int NOT NULL, starts timestamptz NOT NULL);
CREATE TABLE members (mail text PRIMARY KEY, word text NOT NULL);
CREATE TABLE orders (id bigserial PRIMARY KEY, event int NOT NULL, tickets int NOT NULL, made timestamptz DEFAULT now());
INSERT INTO venues SELECT n, 'town ' || n % 23, 80 + n * 7 FROM generate_series(1, 200) n;
INSERT INTO events SELECT n, 'evening ' || n, 1 + n % 200, now() + n * interval '5 hours' FROM generate_series(1, 500) n;
INSERT INTO members VALUES ('ada@example.org', 'rang-7'), ('desk@example.org', 'none');
