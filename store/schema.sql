-- The migrated database, made by make generate. Don't edit: write a migration.

CREATE TYPE public.river_job_state AS ENUM (
    'available',
    'cancelled',
    'completed',
    'discarded',
    'pending',
    'retryable',
    'running',
    'scheduled'
);

CREATE FUNCTION public.river_job_state_in_bitmask(bitmask bit, state public.river_job_state) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT CASE state
        WHEN 'available' THEN get_bit(bitmask, 7)
        WHEN 'cancelled' THEN get_bit(bitmask, 6)
        WHEN 'completed' THEN get_bit(bitmask, 5)
        WHEN 'discarded' THEN get_bit(bitmask, 4)
        WHEN 'pending'   THEN get_bit(bitmask, 3)
        WHEN 'retryable' THEN get_bit(bitmask, 2)
        WHEN 'running'   THEN get_bit(bitmask, 1)
        WHEN 'scheduled' THEN get_bit(bitmask, 0)
        ELSE 0
    END = 1;
$$;

CREATE TABLE public.asked (
    person_ref text NOT NULL,
    day date NOT NULL,
    client text NOT NULL,
    kind text NOT NULL,
    purpose text DEFAULT ''::text NOT NULL,
    times bigint NOT NULL,
    CONSTRAINT asked_kind_check CHECK ((kind = ANY (ARRAY['may-i'::text, 'choices'::text, 'device'::text])))
);

CREATE TABLE public.auth_event (
    event_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    provider text DEFAULT ''::text NOT NULL,
    person_ref text
);

ALTER TABLE public.auth_event ALTER COLUMN event_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.auth_event_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.catalogue (
    hash bytea NOT NULL,
    version date NOT NULL,
    body bytea NOT NULL,
    loaded_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT catalogue_hash_check CHECK ((length(hash) = 32))
);

CREATE TABLE public.child_case (
    case_id uuid DEFAULT gen_random_uuid() NOT NULL,
    system text NOT NULL,
    external_id text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    due_on date NOT NULL,
    closed_at timestamp with time zone
);

CREATE TABLE public.choice (
    person_ref text NOT NULL,
    purpose text NOT NULL,
    decision text NOT NULL,
    at timestamp with time zone NOT NULL,
    version bigint NOT NULL,
    revision integer NOT NULL,
    text bytea NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    erase_after timestamp with time zone,
    due_on date,
    leaf_id bigint NOT NULL,
    CONSTRAINT choice_decision_check CHECK ((decision = ANY (ARRAY['give'::text, 'withdraw'::text, 'refuse'::text, 'object'::text, 'retract'::text])))
);

CREATE TABLE public.delivery (
    delivery_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    recipient text NOT NULL,
    purpose text NOT NULL,
    action text NOT NULL,
    version bigint NOT NULL,
    not_before timestamp with time zone NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt timestamp with time zone,
    note text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT delivery_action_check CHECK ((action = ANY (ARRAY['allow'::text, 'stop'::text, 'erase'::text]))),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'accepted'::text, 'confirmed'::text, 'needs_manual'::text, 'failed'::text, 'refused'::text, 'not_connected'::text, 'superseded'::text])))
);

CREATE TABLE public.delivery_attempt (
    attempt_id bigint NOT NULL,
    delivery_id uuid NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    status integer,
    note text DEFAULT ''::text NOT NULL
);

ALTER TABLE public.delivery_attempt ALTER COLUMN attempt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_attempt_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.delivery_kept (
    person_ref text NOT NULL,
    recipient text NOT NULL,
    kept text[] NOT NULL
);

CREATE TABLE public.delivery_poll (
    delivery_id uuid NOT NULL,
    person_ref text NOT NULL,
    recipient text NOT NULL,
    handle text NOT NULL,
    since timestamp with time zone NOT NULL,
    asked integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone NOT NULL
);

CREATE TABLE public.device_ack (
    person_ref text NOT NULL,
    installation bytea NOT NULL,
    recipient text NOT NULL,
    purpose text NOT NULL,
    version bigint NOT NULL,
    allowed boolean NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT device_ack_installation_check CHECK ((length(installation) = 32)),
    CONSTRAINT device_ack_version_check CHECK ((version >= 0))
);

CREATE TABLE public.ledger_entry (
    leaf_id bigint NOT NULL,
    salt bytea NOT NULL,
    person_ref text NOT NULL,
    purpose text NOT NULL,
    decision text NOT NULL,
    also text DEFAULT ''::text NOT NULL,
    catalogue bytea NOT NULL,
    text bytea NOT NULL,
    language text NOT NULL,
    channel text NOT NULL,
    actor text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT ledger_entry_channel_check CHECK ((channel = ANY (ARRAY['web'::text, 'app'::text, 'staff'::text, 'api'::text, 'import'::text, 'gpc'::text]))),
    CONSTRAINT ledger_entry_decision_check CHECK ((decision = ANY (ARRAY['give'::text, 'withdraw'::text, 'refuse'::text, 'object'::text, 'retract'::text]))),
    CONSTRAINT ledger_entry_salt_check CHECK ((length(salt) = 32))
);

CREATE TABLE public.ledger_leaf (
    leaf_id bigint NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT ledger_leaf_leaf_check CHECK ((length(leaf) = 32))
);

ALTER TABLE public.ledger_leaf ALTER COLUMN leaf_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.ledger_leaf_leaf_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.link_shown (
    link_id uuid NOT NULL,
    page text NOT NULL,
    first_at timestamp with time zone DEFAULT now() NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    times integer DEFAULT 1 NOT NULL
);

CREATE TABLE public.login (
    login_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    provider text NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    nin_hash bytea,
    assurance smallint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT login_assurance_check CHECK (((assurance >= 1) AND (assurance <= 3))),
    CONSTRAINT login_nin_hash_check CHECK ((length(nin_hash) = 32))
);

CREATE TABLE public.login_transaction (
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    kind text NOT NULL,
    provider text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    need smallint DEFAULT 0 NOT NULL,
    fresh boolean DEFAULT false NOT NULL,
    person_ref text,
    session_id uuid,
    return_to text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT login_transaction_browser_hash_check CHECK ((length(browser_hash) = 32)),
    CONSTRAINT login_transaction_kind_check CHECK ((kind = ANY (ARRAY['login'::text, 'age'::text]))),
    CONSTRAINT login_transaction_need_check CHECK (((need >= 0) AND (need <= 3))),
    CONSTRAINT login_transaction_state_hash_check CHECK ((length(state_hash) = 32))
);

CREATE TABLE public.manual_task (
    delivery_id uuid NOT NULL,
    person_ref text NOT NULL,
    template text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    due_on date NOT NULL,
    evidence text DEFAULT ''::text NOT NULL,
    done_by text,
    done_at timestamp with time zone,
    CONSTRAINT manual_task_check CHECK (((done_at IS NULL) = (done_by IS NULL)))
);

CREATE TABLE public.one_time_code (
    code_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    use text NOT NULL,
    external_id text NOT NULL,
    code_hash bytea,
    channel text,
    state text DEFAULT 'waiting'::text NOT NULL,
    tries smallint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT one_time_code_channel_check CHECK ((channel = ANY (ARRAY['email'::text, 'sms'::text]))),
    CONSTRAINT one_time_code_code_hash_check CHECK ((length(code_hash) = 32)),
    CONSTRAINT one_time_code_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'failed'::text, 'used'::text]))),
    CONSTRAINT one_time_code_use_check CHECK ((use = 'link'::text))
);

CREATE TABLE public.parked_form (
    form_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    path text NOT NULL,
    fields bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.person (
    person_ref text NOT NULL,
    choices_version bigint DEFAULT 0 NOT NULL,
    age_declared_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    became text,
    CONSTRAINT person_check CHECK ((became <> person_ref)),
    CONSTRAINT person_person_ref_check CHECK ((person_ref ~ '^[a-z2-7]{26}$'::text))
);

CREATE TABLE public.person_link (
    link_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    system text NOT NULL,
    external_id text NOT NULL,
    evidence text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    ended_why text,
    CONSTRAINT person_link_check CHECK (((ended_at IS NULL) = (ended_why IS NULL))),
    CONSTRAINT person_link_evidence_check CHECK ((evidence = ANY (ARRAY['national-id'::text, 'phone'::text, 'app-account'::text, 'code'::text, 'staff'::text, 'system'::text])))
);

CREATE UNLOGGED TABLE public.rate_limit (
    key text NOT NULL,
    value bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE public.recorded_choice (
    recorded_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    client text NOT NULL,
    key text,
    request bytea NOT NULL,
    purpose text NOT NULL,
    decision text NOT NULL,
    evidence text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    version bigint NOT NULL,
    leaf_id bigint,
    CONSTRAINT recorded_choice_decision_check CHECK ((decision = ANY (ARRAY['give'::text, 'withdraw'::text, 'refuse'::text, 'object'::text, 'retract'::text]))),
    CONSTRAINT recorded_choice_request_check CHECK ((length(request) = 32))
);

CREATE TABLE public.request (
    request_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    kind text NOT NULL,
    purpose text DEFAULT ''::text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    due_on date NOT NULL,
    closed_at timestamp with time zone,
    CONSTRAINT request_kind_check CHECK ((kind = ANY (ARRAY['objection'::text, 'customer-match'::text, 'child'::text]))),
    CONSTRAINT request_state_check CHECK ((state = ANY (ARRAY['open'::text, 'withdrawn'::text, 'closed'::text])))
);

CREATE TABLE public.session (
    id_hash bytea NOT NULL,
    public_id uuid DEFAULT gen_random_uuid() NOT NULL,
    person_ref text NOT NULL,
    login_id uuid NOT NULL,
    class text NOT NULL,
    assurance smallint NOT NULL,
    auth_at timestamp with time zone NOT NULL,
    given_name text DEFAULT ''::text NOT NULL,
    family_name text DEFAULT ''::text NOT NULL,
    user_agent text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT session_assurance_check CHECK (((assurance >= 1) AND (assurance <= 3))),
    CONSTRAINT session_class_check CHECK ((class = ANY (ARRAY['customer'::text, 'app'::text, 'staff'::text]))),
    CONSTRAINT session_id_hash_check CHECK ((length(id_hash) = 32))
);

CREATE TABLE public.shown_text (
    hash bytea NOT NULL,
    purpose text NOT NULL,
    language text NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT shown_text_hash_check CHECK ((length(hash) = 32)),
    CONSTRAINT shown_text_language_check CHECK ((language = ANY (ARRAY['nb'::text, 'nn'::text, 'en'::text])))
);

CREATE TABLE public.suppression (
    recipient text NOT NULL,
    address bytea NOT NULL,
    purpose text NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT suppression_address_check CHECK ((length(address) = 32))
);

ALTER TABLE ONLY public.asked
    ADD CONSTRAINT asked_pkey PRIMARY KEY (person_ref, day, client, kind, purpose);

ALTER TABLE ONLY public.auth_event
    ADD CONSTRAINT auth_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.catalogue
    ADD CONSTRAINT catalogue_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.child_case
    ADD CONSTRAINT child_case_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_pkey PRIMARY KEY (person_ref, purpose);

ALTER TABLE ONLY public.delivery_attempt
    ADD CONSTRAINT delivery_attempt_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.delivery_kept
    ADD CONSTRAINT delivery_kept_pkey PRIMARY KEY (person_ref, recipient);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_person_ref_recipient_purpose_version_action_key UNIQUE (person_ref, recipient, purpose, version, action);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id);

ALTER TABLE ONLY public.delivery_poll
    ADD CONSTRAINT delivery_poll_pkey PRIMARY KEY (delivery_id);

ALTER TABLE ONLY public.device_ack
    ADD CONSTRAINT device_ack_pkey PRIMARY KEY (person_ref, installation, recipient, purpose);

ALTER TABLE ONLY public.ledger_entry
    ADD CONSTRAINT ledger_entry_pkey PRIMARY KEY (leaf_id);

ALTER TABLE ONLY public.ledger_leaf
    ADD CONSTRAINT ledger_leaf_leaf_key UNIQUE (leaf);

ALTER TABLE ONLY public.ledger_leaf
    ADD CONSTRAINT ledger_leaf_pkey PRIMARY KEY (leaf_id);

ALTER TABLE ONLY public.link_shown
    ADD CONSTRAINT link_shown_pkey PRIMARY KEY (link_id, page);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_issuer_subject_key UNIQUE (issuer, subject);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_pkey PRIMARY KEY (login_id);

ALTER TABLE ONLY public.login_transaction
    ADD CONSTRAINT login_transaction_pkey PRIMARY KEY (state_hash);

ALTER TABLE ONLY public.manual_task
    ADD CONSTRAINT manual_task_pkey PRIMARY KEY (delivery_id);

ALTER TABLE ONLY public.one_time_code
    ADD CONSTRAINT one_time_code_pkey PRIMARY KEY (code_id);

ALTER TABLE ONLY public.parked_form
    ADD CONSTRAINT parked_form_pkey PRIMARY KEY (form_id);

ALTER TABLE ONLY public.person_link
    ADD CONSTRAINT person_link_pkey PRIMARY KEY (link_id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_ref);

ALTER TABLE ONLY public.rate_limit
    ADD CONSTRAINT rate_limit_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.recorded_choice
    ADD CONSTRAINT recorded_choice_pkey PRIMARY KEY (recorded_id);

ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id_hash);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_public_id_key UNIQUE (public_id);

ALTER TABLE ONLY public.shown_text
    ADD CONSTRAINT shown_text_pkey PRIMARY KEY (hash);

ALTER TABLE ONLY public.suppression
    ADD CONSTRAINT suppression_pkey PRIMARY KEY (recipient, address, purpose);

CREATE INDEX auth_event_person ON public.auth_event USING btree (person_ref, at);

CREATE UNIQUE INDEX child_case_open ON public.child_case USING btree (system, external_id) WHERE (closed_at IS NULL);

CREATE INDEX delivery_accepted ON public.delivery USING btree (person_ref, recipient) WHERE (state = 'accepted'::text);

CREATE INDEX delivery_attempt_delivery ON public.delivery_attempt USING btree (delivery_id);

CREATE INDEX delivery_not_connected ON public.delivery USING btree (recipient) WHERE (state = 'not_connected'::text);

CREATE INDEX delivery_outstanding ON public.delivery USING btree (person_ref, recipient, version) WHERE (state = ANY (ARRAY['queued'::text, 'sent'::text, 'failed'::text]));

CREATE INDEX delivery_poll_next ON public.delivery_poll USING btree (next_at);

CREATE INDEX delivery_poll_person ON public.delivery_poll USING btree (person_ref, recipient);

CREATE INDEX ledger_entry_person ON public.ledger_entry USING btree (person_ref, purpose, leaf_id);

CREATE INDEX login_nin ON public.login USING btree (nin_hash) WHERE (nin_hash IS NOT NULL);

CREATE INDEX login_person ON public.login USING btree (person_ref);

CREATE INDEX login_transaction_expires ON public.login_transaction USING btree (expires_at);

CREATE INDEX manual_task_open ON public.manual_task USING btree (due_on) WHERE (done_at IS NULL);

CREATE INDEX manual_task_person ON public.manual_task USING btree (person_ref);

CREATE UNIQUE INDEX one_time_code_open ON public.one_time_code USING btree (person_ref, use) WHERE (state <> 'used'::text);

CREATE INDEX one_time_code_person ON public.one_time_code USING btree (person_ref);

CREATE INDEX parked_form_person ON public.parked_form USING btree (person_ref);

CREATE INDEX person_link_ended ON public.person_link USING btree (person_ref, system, external_id) WHERE (ended_at IS NOT NULL);

CREATE UNIQUE INDEX person_link_person ON public.person_link USING btree (person_ref, system) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX person_link_record ON public.person_link USING btree (system, external_id) WHERE (ended_at IS NULL);

CREATE INDEX rate_limit_expires ON public.rate_limit USING btree (expires_at);

CREATE UNIQUE INDEX recorded_choice_key ON public.recorded_choice USING btree (client, key) WHERE (key IS NOT NULL);

CREATE INDEX recorded_choice_person ON public.recorded_choice USING btree (person_ref);

CREATE UNIQUE INDEX request_open_match ON public.request USING btree (person_ref) WHERE ((kind = 'customer-match'::text) AND (state = 'open'::text));

CREATE UNIQUE INDEX request_open_objection ON public.request USING btree (person_ref, purpose) WHERE ((kind = 'objection'::text) AND (state = 'open'::text));

CREATE INDEX request_person ON public.request USING btree (person_ref);

CREATE INDEX session_expires ON public.session USING btree (expires_at);

CREATE INDEX session_login ON public.session USING btree (login_id);

CREATE INDEX session_person ON public.session USING btree (person_ref);

ALTER TABLE ONLY public.asked
    ADD CONSTRAINT asked_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.auth_event
    ADD CONSTRAINT auth_event_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_leaf_id_fkey FOREIGN KEY (leaf_id) REFERENCES public.ledger_leaf(leaf_id);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_text_fkey FOREIGN KEY (text) REFERENCES public.shown_text(hash);

ALTER TABLE ONLY public.delivery_attempt
    ADD CONSTRAINT delivery_attempt_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.delivery(delivery_id);

ALTER TABLE ONLY public.delivery_kept
    ADD CONSTRAINT delivery_kept_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.delivery_poll
    ADD CONSTRAINT delivery_poll_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.delivery(delivery_id);

ALTER TABLE ONLY public.delivery_poll
    ADD CONSTRAINT delivery_poll_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.device_ack
    ADD CONSTRAINT device_ack_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.ledger_entry
    ADD CONSTRAINT ledger_entry_catalogue_fkey FOREIGN KEY (catalogue) REFERENCES public.catalogue(hash);

ALTER TABLE ONLY public.ledger_entry
    ADD CONSTRAINT ledger_entry_leaf_id_fkey FOREIGN KEY (leaf_id) REFERENCES public.ledger_leaf(leaf_id);

ALTER TABLE ONLY public.ledger_entry
    ADD CONSTRAINT ledger_entry_text_fkey FOREIGN KEY (text) REFERENCES public.shown_text(hash);

ALTER TABLE ONLY public.link_shown
    ADD CONSTRAINT link_shown_link_id_fkey FOREIGN KEY (link_id) REFERENCES public.person_link(link_id);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.login_transaction
    ADD CONSTRAINT login_transaction_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.manual_task
    ADD CONSTRAINT manual_task_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES public.delivery(delivery_id);

ALTER TABLE ONLY public.manual_task
    ADD CONSTRAINT manual_task_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.one_time_code
    ADD CONSTRAINT one_time_code_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.parked_form
    ADD CONSTRAINT parked_form_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_became_fkey FOREIGN KEY (became) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.person_link
    ADD CONSTRAINT person_link_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.recorded_choice
    ADD CONSTRAINT recorded_choice_leaf_id_fkey FOREIGN KEY (leaf_id) REFERENCES public.ledger_leaf(leaf_id);

ALTER TABLE ONLY public.recorded_choice
    ADD CONSTRAINT recorded_choice_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_login_id_fkey FOREIGN KEY (login_id) REFERENCES public.login(login_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_person_ref_fkey FOREIGN KEY (person_ref) REFERENCES public.person(person_ref);

GRANT USAGE ON SCHEMA public TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.asked TO innsyn_app;

GRANT SELECT,INSERT ON TABLE public.auth_event TO innsyn_app;

GRANT SELECT,INSERT ON TABLE public.catalogue TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.child_case TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.choice TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery_attempt TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery_kept TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.delivery_poll TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.device_ack TO innsyn_app;

GRANT SELECT,INSERT ON TABLE public.ledger_entry TO innsyn_app;

GRANT SELECT,INSERT ON TABLE public.ledger_leaf TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.link_shown TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login_transaction TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.manual_task TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.one_time_code TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.parked_form TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.person_link TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rate_limit TO innsyn_app;

GRANT SELECT,INSERT ON TABLE public.recorded_choice TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.request TO innsyn_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.session TO innsyn_app;

GRANT SELECT,INSERT ON TABLE public.shown_text TO innsyn_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.suppression TO innsyn_app;
