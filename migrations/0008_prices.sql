-- Up Migration

-- What was changed of the default prices; the newest version counts. Costs of calls that have ended are never changed.
CREATE TABLE price_versions (
  version integer PRIMARY KEY CHECK (version > 0),
  -- Some of Prices in server/prices.ts; {} means that the defaults hold.
  changes jsonb NOT NULL,
  author text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE price_versions;
