-- Agents with versioned settings, calls and what was said in them, keys. Works on PostgreSQL 15 and later.
-- Times are timestamptz, durations ms; `*_ms` without a time zone is audio time of the call (0 = first sample).

-- Up Migration

-- Text as the search compares it: small letters, no accents, whatever the database's locale.
CREATE FUNCTION fold_text(input text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT lower(translate(input, 'ÁÉÍÓÚÜÑÇÀÈÒáéíóúüñçàèò', 'AEIOUUNCAEOaeiouuncaeo'))
$$;

CREATE TABLE agents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- The version calls are answered with; rows of agent_versions are never changed.
  version integer NOT NULL DEFAULT 1,
  is_default boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
-- One default at most; it answers every number that has no agent of its own.
CREATE UNIQUE INDEX agents_one_default ON agents (is_default) WHERE is_default;

CREATE TABLE agent_versions (
  agent_id uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
  version integer NOT NULL CHECK (version > 0),
  settings jsonb NOT NULL,
  author text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Null for a draft.
  published_at timestamptz,
  PRIMARY KEY (agent_id, version)
);

CREATE TABLE phone_numbers (
  e164 text PRIMARY KEY CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$'),
  agent_id uuid NOT NULL REFERENCES agents ON DELETE CASCADE,
  label text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX phone_numbers_agent ON phone_numbers (agent_id);

CREATE TABLE calls (
  -- Made by the call itself, before anything is written.
  id uuid PRIMARY KEY,
  agent_id uuid REFERENCES agents ON DELETE SET NULL,
  agent_version integer,
  direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
  carrier text NOT NULL,
  carrier_call_id text,
  stream_id text,
  from_number text,
  to_number text,
  status text NOT NULL,
  end_reason text,
  started_at timestamptz NOT NULL,
  answered_at timestamptz,
  ended_at timestamptz,
  -- What the call itself counted; null when it never came to say so.
  duration_ms double precision,
  turn_count integer,
  providers jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX calls_started ON calls (started_at DESC, id);
CREATE INDEX calls_agent ON calls (agent_id);
CREATE INDEX calls_open ON calls (started_at) WHERE status <> 'ended';

CREATE TABLE turns (
  call_id uuid NOT NULL REFERENCES calls ON DELETE CASCADE,
  turn_id integer NOT NULL,
  role text NOT NULL CHECK (role IN ('user', 'agent')),
  kind text NOT NULL,
  text_spoken text NOT NULL,
  -- Shorter than text_spoken when the user took the floor.
  text_heard text NOT NULL,
  truncated boolean NOT NULL,
  start_ms double precision NOT NULL,
  end_ms double precision NOT NULL,
  latency jsonb,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  -- Folded once when written: folding 50 000 turns at each search takes a second.
  search_text text GENERATED ALWAYS AS (fold_text(text_spoken)) STORED,
  PRIMARY KEY (call_id, turn_id, role)
);

-- Partitioned by month: old events go by dropping a table. The key makes a repeated insert harmless.
CREATE TABLE call_events (
  call_id uuid NOT NULL REFERENCES calls ON DELETE CASCADE,
  seq integer NOT NULL,
  recorded_at timestamptz NOT NULL,
  at_ms double precision NOT NULL,
  name text NOT NULL,
  data jsonb NOT NULL,
  PRIMARY KEY (call_id, seq, recorded_at)
) PARTITION BY RANGE (recorded_at);
-- Takes what no month takes; ensureEventPartitions() moves its rows out when it makes their month.
CREATE TABLE call_events_default PARTITION OF call_events DEFAULT;

CREATE TABLE recordings (
  id uuid PRIMARY KEY,
  call_id uuid NOT NULL UNIQUE REFERENCES calls ON DELETE CASCADE,
  path text NOT NULL,
  duration_ms double precision NOT NULL,
  channels integer NOT NULL,
  sample_rate_hz integer NOT NULL,
  bytes bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  -- SHA-256. The keys are random and long, so a slow hash would only slow down every request.
  key_hash bytea NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  revoked_at timestamptz
);

-- Down Migration

DROP TABLE api_keys;
DROP TABLE recordings;
DROP TABLE call_events;
DROP TABLE turns;
DROP TABLE calls;
DROP TABLE phone_numbers;
DROP TABLE agent_versions;
DROP TABLE agents;
DROP FUNCTION fold_text(text);
