-- Up Migration

-- Uploaded background sounds, ready to play: a seamless loop at the level of the built-in ones.
CREATE TABLE beds (
  -- As agents' settings name it.
  name text PRIMARY KEY,
  -- 16 bits, mono, 16 kHz, little-endian.
  pcm bytea NOT NULL,
  author text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
-- Audio does not get smaller by it.
ALTER TABLE beds ALTER COLUMN pcm SET STORAGE EXTERNAL;

-- noiseSuppression was the carrier's; it is our own from here on, and the carrier's has its name.
UPDATE agent_versions SET settings = settings
  || jsonb_build_object('base',
    CASE WHEN settings->'base' ? 'noiseSuppression'
      THEN (settings->'base') - 'noiseSuppression'
        || jsonb_build_object('carrierNoiseSuppression', settings->'base'->'noiseSuppression')
      ELSE settings->'base' END)
  || jsonb_build_object('profiles', (
    SELECT coalesce(jsonb_object_agg(key,
      CASE WHEN value ? 'noiseSuppression'
        THEN (value - 'noiseSuppression')
          || jsonb_build_object('carrierNoiseSuppression', value->'noiseSuppression')
        ELSE value END), '{}'::jsonb)
    FROM jsonb_each(settings->'profiles')))
WHERE settings::text LIKE '%"noiseSuppression"%';

-- Down Migration

UPDATE agent_versions SET settings = settings
  || jsonb_build_object('base', (settings->'base') - 'noiseSuppression' - 'carrierNoiseSuppression'
    || jsonb_build_object('noiseSuppression',
      coalesce(settings->'base'->'carrierNoiseSuppression', 'false'::jsonb)))
  || jsonb_build_object('profiles', (
    SELECT coalesce(jsonb_object_agg(key,
      CASE WHEN value ? 'carrierNoiseSuppression'
        THEN (value - 'noiseSuppression' - 'carrierNoiseSuppression')
          || jsonb_build_object('noiseSuppression', value->'carrierNoiseSuppression')
        ELSE value - 'noiseSuppression' END), '{}'::jsonb)
    FROM jsonb_each(settings->'profiles')))
WHERE settings::text LIKE '%oiseSuppression"%';

DROP TABLE beds;
