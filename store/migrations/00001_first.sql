-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
  CREATE ROLE innsyn_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
-- +goose StatementEnd

-- What was shown. Kept whole, for ever, under its hash: law: GDPR 7(1).
CREATE TABLE catalogue (
  hash      bytea PRIMARY KEY CHECK (length(hash) = 32),
  version   date NOT NULL,
  body      bytea NOT NULL,
  loaded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE shown_text (
  hash     bytea PRIMARY KEY CHECK (length(hash) = 32),
  purpose  text NOT NULL,
  language text NOT NULL CHECK (language IN ('nb', 'nn', 'en')),
  body     bytea NOT NULL
);

-- People. A person is a random reference; who it is stands with the logins.
CREATE TABLE person (
  person_ref      text PRIMARY KEY CHECK (person_ref ~ '^[a-z2-7]{26}$'),
  choices_version bigint NOT NULL DEFAULT 0,
  language        text CHECK (language IN ('nb', 'nn', 'en')),
  age_declared_at timestamptz,                          -- said to be old enough; no birth date from the provider
  created_at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE login (
  login_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref text NOT NULL REFERENCES person,
  provider   text NOT NULL,
  issuer     text NOT NULL,
  subject    text NOT NULL,
  nin_hash   bytea CHECK (length(nin_hash) = 32),       -- HMAC-SHA256, attested at substantial or better; law: personopplysningsloven § 12
  assurance  smallint NOT NULL CHECK (assurance BETWEEN 1 AND 3), -- the highest seen
  created_at timestamptz NOT NULL DEFAULT now(),
  last_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (issuer, subject)
);
CREATE INDEX login_person ON login (person_ref);
CREATE INDEX login_nin ON login (nin_hash) WHERE nin_hash IS NOT NULL;

-- Which record of another system is this person's, and how we know.
CREATE TABLE person_link (
  link_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref  text NOT NULL REFERENCES person,
  system      text NOT NULL,
  external_id text NOT NULL,
  evidence    text NOT NULL CHECK (evidence IN ('national-id', 'phone', 'app-account', 'code', 'staff')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  ended_at    timestamptz,
  ended_why   text CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
CREATE UNIQUE INDEX person_link_person ON person_link (person_ref, system) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX person_link_record ON person_link (system, external_id) WHERE ended_at IS NULL;
CREATE INDEX person_link_ended ON person_link (person_ref, system, external_id) WHERE ended_at IS NOT NULL; -- never linked again by itself

-- What was shown through a link, so that a wrong one can be answered for.
CREATE TABLE link_shown (
  link_id  uuid NOT NULL REFERENCES person_link,
  page     text NOT NULL,
  first_at timestamptz NOT NULL DEFAULT now(),
  last_at  timestamptz NOT NULL DEFAULT now(),
  times    integer NOT NULL DEFAULT 1,                   -- spells of ten minutes
  PRIMARY KEY (link_id, page)
);

-- Sessions. The cookie has the id, the database its hash.
CREATE TABLE session (
  id_hash     bytea PRIMARY KEY CHECK (length(id_hash) = 32),
  public_id   uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- names it on the page of devices
  person_ref  text NOT NULL REFERENCES person,
  login_id    uuid NOT NULL REFERENCES login,
  class       text NOT NULL CHECK (class IN ('customer', 'app', 'staff')),
  assurance   smallint NOT NULL CHECK (assurance BETWEEN 1 AND 3),
  auth_at     timestamptz NOT NULL,                     -- when the person proved who they are
  given_name  text NOT NULL DEFAULT '',                 -- for the greeting; gone with the session
  family_name text NOT NULL DEFAULT '',
  user_agent  text NOT NULL DEFAULT '',                 -- browser and system in two words
  created_at  timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL
);
CREATE INDEX session_person ON session (person_ref);
CREATE INDEX session_login ON session (login_id);
CREATE INDEX session_expires ON session (expires_at);

-- A login under way, from the start to the callback, or from the callback to the
-- person's word about their age. Single use.
CREATE TABLE login_transaction (
  state_hash   bytea PRIMARY KEY CHECK (length(state_hash) = 32),
  browser_hash bytea NOT NULL CHECK (length(browser_hash) = 32), -- of the cookie that binds it
  kind         text NOT NULL CHECK (kind IN ('login', 'age')),
  provider     text NOT NULL,
  nonce        text NOT NULL,
  verifier     text NOT NULL,
  need         smallint NOT NULL DEFAULT 0 CHECK (need BETWEEN 0 AND 3),
  fresh        boolean NOT NULL DEFAULT false,           -- must be proved anew
  person_ref   text REFERENCES person,                   -- a step-up: must be this person again
  session_id   uuid,                                     -- public_id of the session that is stepped up
  return_to    text NOT NULL,
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL
);
CREATE INDEX login_transaction_expires ON login_transaction (expires_at);

-- What was typed before a step-up, so that nothing is lost.
CREATE TABLE parked_form (
  form_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref text NOT NULL REFERENCES person,
  path       text NOT NULL,
  fields     bytea NOT NULL,                             -- sealed with the portal's key
  expires_at timestamptz NOT NULL
);
CREATE INDEX parked_form_person ON parked_form (person_ref);

-- One-time codes to the contact on file. The worker makes the code when it sends.
CREATE TABLE one_time_code (
  code_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref  text NOT NULL REFERENCES person,
  use         text NOT NULL CHECK (use IN ('link')),
  external_id text NOT NULL,                             -- of the customer record; empty: nobody, and nothing is sent
  code_hash   bytea CHECK (length(code_hash) = 32),
  channel     text CHECK (channel IN ('email', 'sms')),
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'used')),
  tries       smallint NOT NULL DEFAULT 0,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL
);
CREATE INDEX one_time_code_person ON one_time_code (person_ref);

-- What happened around logins: reason codes, no personal data.
CREATE TABLE auth_event (
  event_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL,
  kind       text NOT NULL,
  reason     text NOT NULL DEFAULT '',
  provider   text NOT NULL DEFAULT '',
  person_ref text REFERENCES person
);
CREATE INDEX auth_event_person ON auth_event (person_ref, at);

-- Limits of sensitive routes, the same on every node.
CREATE UNLOGGED TABLE rate_limit (
  key        text PRIMARY KEY,
  value      bigint NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX rate_limit_expires ON rate_limit (expires_at);

-- The ledger. Leaves stay for ever; bodies with their salts lie apart.
CREATE TABLE ledger_leaf (
  leaf_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  leaf    bytea NOT NULL UNIQUE CHECK (length(leaf) = 32)
);

CREATE TABLE ledger_entry (
  leaf_id    bigint PRIMARY KEY REFERENCES ledger_leaf,
  salt       bytea NOT NULL CHECK (length(salt) = 32),
  person_ref text NOT NULL,
  purpose    text NOT NULL,
  decision   text NOT NULL CHECK (decision IN ('give', 'withdraw', 'refuse', 'object', 'retract')),
  also       text NOT NULL DEFAULT '',
  catalogue  bytea NOT NULL REFERENCES catalogue,
  text       bytea NOT NULL REFERENCES shown_text,
  language   text NOT NULL,
  channel    text NOT NULL CHECK (channel IN ('web', 'app', 'staff', 'api', 'import', 'gpc')),
  actor      text NOT NULL,
  at         timestamptz NOT NULL
);
CREATE INDEX ledger_entry_person ON ledger_entry (person_ref, purpose, leaf_id);

-- The choice in force.
CREATE TABLE choice (
  person_ref  text NOT NULL REFERENCES person,
  purpose     text NOT NULL,
  decision    text NOT NULL CHECK (decision IN ('give', 'withdraw', 'refuse', 'object', 'retract')),
  at          timestamptz NOT NULL,
  version     bigint NOT NULL,
  revision    integer NOT NULL,
  text        bytea NOT NULL REFERENCES shown_text,
  language    text NOT NULL,
  channel     text NOT NULL,
  erase_after timestamptz,
  due_on      date,
  leaf_id     bigint NOT NULL REFERENCES ledger_leaf,
  PRIMARY KEY (person_ref, purpose)
);

-- Requests of people. An objection is one; the others come to stand here too.
CREATE TABLE request (
  request_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref  text NOT NULL REFERENCES person,
  kind        text NOT NULL CHECK (kind IN ('objection', 'customer-match', 'child')),
  purpose     text NOT NULL DEFAULT '',
  state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'withdrawn', 'closed')),
  received_at timestamptz NOT NULL,
  due_on      date NOT NULL,
  closed_at   timestamptz
);
CREATE INDEX request_person ON request (person_ref);
CREATE UNIQUE INDEX request_open_objection ON request (person_ref, purpose) WHERE kind = 'objection' AND state = 'open';

CREATE UNIQUE INDEX request_open_match ON request (person_ref) WHERE kind = 'customer-match' AND state = 'open';

-- A child that was stopped at login: no person, only which record to erase.
CREATE TABLE child_case (
  case_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  system      text NOT NULL,
  external_id text NOT NULL,
  opened_at   timestamptz NOT NULL,
  due_on      date NOT NULL,
  closed_at   timestamptz
);
CREATE UNIQUE INDEX child_case_open ON child_case (system, external_id) WHERE closed_at IS NULL;

-- The outbox: what each recipient must be told. law: GDPR 19
CREATE TABLE delivery (
  delivery_id  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  person_ref   text NOT NULL REFERENCES person,
  recipient    text NOT NULL,
  purpose      text NOT NULL,
  action       text NOT NULL CHECK (action IN ('allow', 'stop', 'erase')),
  version      bigint NOT NULL,
  not_before   timestamptz NOT NULL,
  state        text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'accepted', 'confirmed',
                 'needs_manual', 'failed', 'refused', 'not_connected', 'superseded')),
  attempts     integer NOT NULL DEFAULT 0,
  next_attempt timestamptz,
  note         text NOT NULL DEFAULT '',
  created_at   timestamptz NOT NULL,
  changed_at   timestamptz NOT NULL,
  UNIQUE (person_ref, recipient, purpose, version, action)
);
CREATE INDEX delivery_outstanding ON delivery (person_ref, recipient, version)
  WHERE state IN ('queued', 'sent', 'failed');

CREATE INDEX delivery_not_connected ON delivery (recipient) WHERE state = 'not_connected';

CREATE TABLE delivery_attempt (
  attempt_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id uuid NOT NULL REFERENCES delivery,
  started_at  timestamptz NOT NULL,
  ended_at    timestamptz,
  status      integer,                                   -- HTTP status; null: no answer
  note        text NOT NULL DEFAULT ''
);
CREATE INDEX delivery_attempt_delivery ON delivery_attempt (delivery_id);

-- What the application may do. On the ledger it adds and reads, nothing else:
-- whoever holds its password can add entries, never change or remove one.
GRANT USAGE ON SCHEMA public TO innsyn_app;
GRANT SELECT, INSERT ON catalogue, shown_text, ledger_leaf, ledger_entry, auth_event TO innsyn_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON person, login, person_link, link_shown, session, login_transaction, parked_form,
  one_time_code, rate_limit, choice, request, child_case, delivery, delivery_attempt TO innsyn_app;
