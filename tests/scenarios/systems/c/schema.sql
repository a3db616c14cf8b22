CREATE ROLE clinic LOGIN PASSWORD 'lime-leaves-fall';
CREATE ROLE auditor LOGIN PASSWORD 'eyes-on-charts' IN ROLE pg_monitor;
CREATE DATABASE lindenhof OWNER clinic;
\connect lindenhof
SET ROLE clinic;
CREATE TABLE doctors (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE rooms (id int PRIMARY KEY, floor int NOT NULL, beds int NOT NULL);
CREATE TABLE slots (id int PRIMARY KEY, doctor int NOT NULL, begins timestamptz NOT NULL);
CREATE TABLE people (card text PRIMARY KEY, pin text NOT NULL);
CREATE TABLE appointments (id bigserial PRIMARY KEY, slot int NOT NULL, card text NOT NULL, made timestamptz DEFAULT now());
CREATE TABLE reminders (appointment bigint PRIMARY KEY, due timestamptz DEFAULT now());
INSERT INTO doctors SELECT n, 'Dr ' || chr(64 + n) FROM generate_series(1, 14) n;
INSERT INTO rooms SELECT n, n / 40, 1 + n % 3 FROM generate_series(1, 180) n;
INSERT INTO slots SELECT n, 1 + n % 14, now() + n * interval '20 minutes' FROM generate_series(1, 400) n;
INSERT INTO people VALUES ('L-2044', '7731'), ('L-2051', '0000');
