-- Up Migration

-- What a language model made of a call after its end: one row per call, written once.
CREATE TABLE call_analyses (
  call_id uuid PRIMARY KEY REFERENCES calls ON DELETE CASCADE,
  -- done, noModel (only the scripted brain is configured), failed
  status text NOT NULL CHECK (status IN ('done', 'noModel', 'failed')),
  summary text,
  outcome text,
  sentiment text,
  fields jsonb NOT NULL,
  -- Why there is no analysis, in words.
  note text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE call_analyses;
