-- +goose Up
-- What a human does at a recipient that can't be called. The person whom it is
-- about, and what to write, stand on the page that shows the task.
CREATE TABLE manual_task (
  delivery_id uuid PRIMARY KEY REFERENCES delivery,
  person_ref  text NOT NULL REFERENCES person,
  template    text NOT NULL,                             -- key of its texts
  opened_at   timestamptz NOT NULL,
  due_on      date NOT NULL,
  evidence    text NOT NULL DEFAULT '',                  -- where the recipient's answer is kept: a case number
  done_by     text,                                      -- role and stable pseudonym
  done_at     timestamptz,
  CHECK ((done_at IS NULL) = (done_by IS NULL))
);
CREATE INDEX manual_task_person ON manual_task (person_ref);
CREATE INDEX manual_task_open ON manual_task (due_on) WHERE done_at IS NULL;

-- Whom the company itself doesn't send to, where the sender keeps no such list:
-- law: GDPR 21(3). A keyed hash of the address, so that it outlives the address.
CREATE TABLE suppression (
  recipient text NOT NULL,
  address   bytea NOT NULL CHECK (length(address) = 32), -- HMAC-SHA256
  purpose   text NOT NULL,
  since     timestamptz NOT NULL,
  PRIMARY KEY (recipient, address, purpose)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON manual_task TO innsyn_app;
GRANT SELECT, INSERT, DELETE ON suppression TO innsyn_app;
