-- +goose Up
-- One open code for a person and a use. Those that are open now are asked for anew.
DELETE FROM one_time_code WHERE state <> 'used';
CREATE UNIQUE INDEX one_time_code_open ON one_time_code (person_ref, use) WHERE state <> 'used';

-- Messages are written in the language of the customer record.
ALTER TABLE person DROP COLUMN language;

-- What a recipient must have again if a worker dies halfway: never who it is about.
CREATE TABLE delivery_kept (
  person_ref text NOT NULL REFERENCES person,
  recipient  text NOT NULL,
  kept       text[] NOT NULL,
  PRIMARY KEY (person_ref, recipient)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_kept TO innsyn_app;
