-- +goose Up
-- A system of the company names its own id for somebody: that is evidence enough.
ALTER TABLE person_link DROP CONSTRAINT person_link_evidence_check;
ALTER TABLE person_link ADD CONSTRAINT person_link_evidence_check
  CHECK (evidence IN ('national-id', 'phone', 'app-account', 'code', 'staff', 'system'));

-- Where a choice that was made elsewhere comes from. Part of the proof: added to
-- and read, like the ledger. law: GDPR 7(1)
CREATE TABLE recorded_choice (
  recorded_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref  text NOT NULL REFERENCES person,
  client      text NOT NULL,                             -- the system that told us
  key         text,                                      -- its idempotency key
  request     bytea NOT NULL CHECK (length(request) = 32), -- hash of what it told us
  purpose     text NOT NULL,
  decision    text NOT NULL CHECK (decision IN ('give', 'withdraw', 'refuse', 'object', 'retract')),
  evidence    text NOT NULL,                             -- reference of the proof in that system; empty for a no without one
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  version     bigint NOT NULL,                           -- of the person's choices, afterwards
  leaf_id     bigint REFERENCES ledger_leaf              -- null: it was so already
);
CREATE UNIQUE INDEX recorded_choice_key ON recorded_choice (client, key) WHERE key IS NOT NULL;
CREATE INDEX recorded_choice_person ON recorded_choice (person_ref);

-- How often each system asked about a person. law: GDPR 15(1)(c)
CREATE TABLE asked (
  person_ref text NOT NULL REFERENCES person,
  day        date NOT NULL,                              -- in Oslo
  client     text NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('may-i', 'choices', 'device')),
  purpose    text NOT NULL DEFAULT '',                   -- empty: all of them
  times      bigint NOT NULL,
  PRIMARY KEY (person_ref, day, client, kind, purpose)
);

GRANT SELECT, INSERT ON recorded_choice TO innsyn_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON asked TO innsyn_app;
