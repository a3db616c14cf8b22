CREATE ROLE velo_app LOGIN PASSWORD 'wheels-go-round';
CREATE ROLE velo_watch LOGIN PASSWORD 'look-not-touch' IN ROLE pg_monitor;
CREATE DATABASE velo OWNER velo_app;
\connect velo
SET ROLE velo_app;
CREATE TABLE stations (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE bikes (id int PRIMARY KEY, station int NOT NULL, state text NOT NULL);
CREATE TABLE members (name text PRIMARY KEY, secret text NOT NULL);
CREATE TABLE rentals (id serial PRIMARY KEY, bike int NOT NULL, member text NOT NULL, at timestamptz DEFAULT now());
INSERT INTO stations SELECT n, 'Station ' || n FROM generate_series(1, 12) n;
INSERT INTO bikes SELECT n, n % 12 + 1, 'free' FROM generate_series(1, 200) n;
INSERT INTO members VALUES ('mira', 'pedal'), ('guest', 'none');
INSERT INTO rentals (bike, member) SELECT n, 'mira' FROM generate_series(1, 30) n;
