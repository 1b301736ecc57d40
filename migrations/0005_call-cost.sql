-- Up Migration

-- What the call used and cost (US dollars), as CallCost in server/call/call-cost.ts; null while it lives.
ALTER TABLE calls ADD COLUMN cost jsonb;

-- Down Migration

ALTER TABLE calls DROP COLUMN cost;
