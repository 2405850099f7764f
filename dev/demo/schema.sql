-- The development company database: what Elekt itself holds about people, as far
-- as the portal reads it. Run by a role that may create roles; may be run again.
--
-- elekt_owner owns everything here, elekt_reader may read it. Neither is a role
-- of the portal: the portal reads through a login that is a member of
-- elekt_reader and writes nothing.
--
-- Every table that holds something about a customer carries customer_no, so that
-- a dataset of the catalogue can find a person in it in one way.

DO $$
BEGIN
  CREATE ROLE elekt_owner NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$
BEGIN
  CREATE ROLE elekt_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

DO $$
BEGIN
  GRANT elekt_owner TO CURRENT_USER;
EXCEPTION WHEN unique_violation OR insufficient_privilege THEN NULL; -- is a member already
END $$;

CREATE SCHEMA IF NOT EXISTS elekt AUTHORIZATION elekt_owner;
SET ROLE elekt_owner;

CREATE TABLE IF NOT EXISTS elekt.customer (
  customer_no       text PRIMARY KEY,
  given_name        text NOT NULL,
  family_name       text NOT NULL,
  birth_date        date,
  nin_hash          bytea CHECK (length(nin_hash) = 32), -- HMAC-SHA256 of the identity number
  phone             text CHECK (phone ~ '^\+[0-9]{8,15}$'),
  email             text,
  street            text,
  postal_code       text,
  city              text,
  country           text NOT NULL DEFAULT 'NO',
  plan              text NOT NULL DEFAULT 'free' CHECK (plan IN ('free', 'plus')),
  shop_customer_id  text UNIQUE,                         -- set when the person has bought in the shop
  app_account_id    text UNIQUE,                         -- the app's own account
  protected_address boolean NOT NULL DEFAULT false,
  language          text NOT NULL DEFAULT 'nb' CHECK (language IN ('nb', 'nn', 'en')),
  created_at        timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS customer_nin_hash ON elekt.customer (nin_hash);
CREATE INDEX IF NOT EXISTS customer_phone ON elekt.customer (phone);
CREATE INDEX IF NOT EXISTS customer_email ON elekt.customer (lower(email));

-- People who get e-mail without being customers, and customers who do.
CREATE TABLE IF NOT EXISTS elekt.newsletter (
  email       text PRIMARY KEY CHECK (email = lower(email)),
  name        text,
  phone       text,
  customer_no text REFERENCES elekt.customer ON DELETE SET NULL,
  lists       text[] NOT NULL CHECK (cardinality(lists) > 0), -- newsletter, interest-list
  since       timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS newsletter_customer ON elekt.newsletter (customer_no);

-- Phones and tablets with the app.
CREATE TABLE IF NOT EXISTS elekt.device (
  installation_id text PRIMARY KEY,                      -- Firebase installation id
  customer_no     text NOT NULL REFERENCES elekt.customer ON DELETE CASCADE,
  platform        text NOT NULL CHECK (platform IN ('ios', 'android')),
  model           text NOT NULL,
  os_version      text NOT NULL,
  app_version     text NOT NULL,
  language        text NOT NULL,
  time_zone       text NOT NULL,
  push_token      text,
  advertising_id  uuid,                                  -- null when tracking is refused on the phone
  first_seen      timestamptz NOT NULL,
  last_seen       timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS device_customer ON elekt.device (customer_no);

GRANT USAGE ON SCHEMA elekt TO elekt_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA elekt TO elekt_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA elekt GRANT SELECT ON TABLES TO elekt_reader;

RESET ROLE;
