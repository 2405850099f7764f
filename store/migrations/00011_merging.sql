-- +goose Up
-- A person who was known by an id of another system alone turned out to be one who
-- logs in. What held of them stands there now; their reference leads there.
ALTER TABLE person ADD COLUMN became text REFERENCES person CHECK (became <> person_ref);
