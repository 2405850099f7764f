-- +goose Up
-- What the app has applied on a phone, by its own word. law: GDPR 7(3)
CREATE TABLE device_ack (
  person_ref   text NOT NULL REFERENCES person,
  installation bytea NOT NULL CHECK (length(installation) = 32), -- SHA-256 of its id
  recipient    text NOT NULL,                            -- empty: whoever learns it from the app
  purpose      text NOT NULL,
  version      bigint NOT NULL CHECK (version >= 0),     -- of the choice that was applied
  allowed      boolean NOT NULL,
  at           timestamptz NOT NULL,
  PRIMARY KEY (person_ref, installation, recipient, purpose)
);

-- What a recipient has taken on and is asked about until it is done.
CREATE TABLE delivery_poll (
  delivery_id uuid PRIMARY KEY REFERENCES delivery,
  person_ref  text NOT NULL REFERENCES person,
  recipient   text NOT NULL,
  handle      text NOT NULL,                             -- the recipient's own name for it; never who it is about
  since       timestamptz NOT NULL,
  asked       integer NOT NULL DEFAULT 0,
  next_at     timestamptz NOT NULL
);
CREATE INDEX delivery_poll_next ON delivery_poll (next_at);
CREATE INDEX delivery_poll_person ON delivery_poll (person_ref, recipient);
CREATE INDEX delivery_accepted ON delivery (person_ref, recipient) WHERE state = 'accepted';

GRANT SELECT, INSERT, UPDATE, DELETE ON device_ack, delivery_poll TO innsyn_app;
