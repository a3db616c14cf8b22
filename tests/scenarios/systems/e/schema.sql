CREATE ROLE opac LOGIN PASSWORD 'rayon-du-fond';
CREATE ROLE lecteurs LOGIN PASSWORD 'carte-perforee';
CREATE ROLE vigie LOGIN PASSWORD 'depuis-le-phare' IN ROLE pg_monitor;
CREATE DATABASE biblio OWNER opac;
\connect biblio
SET ROLE opac;
CREATE TABLE notices (id int PRIMARY KEY, titre text NOT NULL, auteur text NOT NULL);
CREATE TABLE exemplaires (id int PRIMARY KEY, notice int NOT NULL, site text NOT NULL);
CREATE TABLE abonnes (carte text PRIMARY KEY, code text NOT NULL);
CREATE TABLE reservations (id bigserial PRIMARY KEY, notice int NOT NULL, faite timestamptz DEFAULT now());
INSERT INTO notices SELECT n, 'Titre ' || n, 'Auteur ' || n % 60 FROM generate_series(1, 500) n;
INSERT INTO exemplaires SELECT n, 1 + n % 500, 'site ' || n % 9 FROM generate_series(1, 220) n;
INSERT INTO abonnes VALUES ('V-1042', '3190'), ('V-1077', '0000');
GRANT SELECT ON abonnes TO lecteurs;
