/**
 * The agent's settings as form fields: in which section, with which control, in which range. The ranges repeat the
 * server's schema so that a mistake shows while typing; tests compare the two. Pure.
 */
import type { ProfileSettings } from '../../../server/agent-settings.ts'

export type FieldName = keyof ProfileSettings

export const SECTIONS = [
  'model',
  'voice',
  'transcription',
  'turns',
  'functions',
  'advanced',
] as const
export type Section = (typeof SECTIONS)[number]

interface Shared {
  name: FieldName
  section: Section
  /** Takes the whole width of the form. */
  wide?: boolean
}

export interface NumberField extends Shared {
  control: 'number' | 'slider'
  min: number
  max: number
  step: number
  integer: boolean
  unit?: 'ms' | 's'
}

export interface TextField extends Shared {
  control: 'text' | 'area' | 'voice' | 'style' | 'phone' | 'language' | 'bed'
  maxLength: number
  required: boolean
  /** What a text that is not empty must be, beside its length. */
  format?: 'url' | 'schema'
}

export interface ChoiceField extends Shared {
  control: 'choice'
  options: readonly string[]
}

export interface SwitchField extends Shared {
  control: 'switch'
}

export interface TagsField extends Shared {
  control: 'tags'
  maxItems: number
  maxItemLength: number
  item?: 'language'
}

/** A list that is written as JSON; while it is none, the draft holds the text. */
export interface JsonField extends Shared {
  control: 'json'
}

export type Field = NumberField | TextField | ChoiceField | SwitchField | TagsField | JsonField

export const LANGUAGES = ['es-MX', 'es-ES', 'es-US', 'es-AR', 'es-CO', 'es-CL', 'en-US', 'en-GB']

function slider(name: FieldName, section: Section, range: [number, number, number]): NumberField {
  const [min, max, step] = range
  return { name, section, control: 'slider', min, max, step, integer: false }
}

function integer(name: FieldName, section: Section, range: [number, number, number]): NumberField {
  const [min, max, step] = range
  return { name, section, control: 'number', min, max, step, integer: true }
}

function text(
  name: FieldName,
  section: Section,
  shape: Pick<TextField, 'control' | 'maxLength'> & Partial<TextField>,
): TextField {
  return { required: false, ...shape, name, section }
}

export const FIELDS: readonly Field[] = [
  text('systemPrompt', 'model', { control: 'area', maxLength: 10_000, wide: true }),
  text('firstMessage', 'model', { control: 'text', maxLength: 500, wide: true }),
  text('legalNotice', 'model', { control: 'text', maxLength: 1_000, wide: true }),
  {
    name: 'firstMessageMode',
    section: 'model',
    control: 'choice',
    options: ['speak-first', 'wait-for-user', 'speak-first-dynamic'],
  },
  text('llmModel', 'model', { control: 'text', maxLength: 100, required: true }),
  slider('temperature', 'model', [0, 2, 0.1]),
  integer('maxTokens', 'model', [1, 4_096, 10]),

  text('voiceName', 'voice', { control: 'voice', maxLength: 100, required: true }),
  text('voiceStyle', 'voice', { control: 'style', maxLength: 50 }),
  slider('voiceSpeed', 'voice', [0.5, 2, 0.05]),
  slider('voiceStyleDegree', 'voice', [0.01, 2, 0.01]),
  slider('voicePitch', 'voice', [-50, 50, 1]),
  slider('voiceVolume', 'voice', [-50, 50, 1]),
  { ...integer('voicePacingMs', 'voice', [0, 2_000, 50]), unit: 'ms' },
  text('backgroundSound', 'voice', { control: 'bed', maxLength: 60, required: true, wide: true }),
  slider('backgroundVolume', 'voice', [0, 1, 0.05]),

  text('language', 'transcription', { control: 'language', maxLength: 5, required: true }),
  {
    name: 'languages',
    section: 'transcription',
    control: 'tags',
    maxItems: 8,
    maxItemLength: 5,
    item: 'language',
  },
  { name: 'noiseSuppression', section: 'transcription', control: 'switch' },
  { ...integer('initialSilenceMs', 'transcription', [1_000, 60_000, 1_000]), unit: 'ms' },
  { ...integer('segmentationSilenceMs', 'transcription', [0, 5_000, 50]), unit: 'ms' },
  {
    name: 'profanity',
    section: 'transcription',
    control: 'choice',
    options: ['raw', 'masked', 'removed'],
  },
  {
    name: 'secondHearing',
    section: 'transcription',
    control: 'choice',
    options: ['off', 'whisper-large-v3-turbo', 'whisper-large-v3'],
  },
  integer('inputMinCharacters', 'transcription', [0, 100, 1]),
  { name: 'adaptiveLevelFilter', section: 'transcription', control: 'switch' },
  {
    name: 'hallucinationBlacklist',
    section: 'transcription',
    control: 'tags',
    maxItems: 100,
    maxItemLength: 100,
    wide: true,
  },
  {
    name: 'phrases',
    section: 'transcription',
    control: 'tags',
    maxItems: 500,
    maxItemLength: 100,
    wide: true,
  },

  slider('vadSensitivity', 'turns', [0, 1, 0.05]),
  { ...integer('silenceTimeoutMs', 'turns', [100, 5_000, 50]), unit: 'ms' },
  { ...integer('endpointingMinMs', 'turns', [0, 3_000, 20]), unit: 'ms' },
  { ...integer('endpointingMaxMs', 'turns', [0, 6_000, 100]), unit: 'ms' },
  { ...integer('fillerAfterMs', 'turns', [0, 10_000, 100]), unit: 'ms' },
  {
    name: 'fillerPhrases',
    section: 'turns',
    control: 'tags',
    maxItems: 20,
    maxItemLength: 100,
    wide: true,
  },
  integer('interruptionWords', 'turns', [0, 20, 1]),
  integer('interruptionCharacters', 'turns', [0, 100, 1]),
  {
    name: 'stopWords',
    section: 'turns',
    control: 'tags',
    maxItems: 50,
    maxItemLength: 40,
    wide: true,
  },
  text('resumePhrase', 'turns', { control: 'text', maxLength: 100, wide: true }),

  { name: 'enableEndCall', section: 'functions', control: 'switch' },
  { name: 'enableDialKeypad', section: 'functions', control: 'switch' },
  text('transferPhoneNumber', 'functions', { control: 'phone', maxLength: 16 }),
  text('transferAnnouncement', 'functions', { control: 'text', maxLength: 500, wide: true }),
  { name: 'httpTools', section: 'functions', control: 'json', wide: true },
  { name: 'machineDetection', section: 'functions', control: 'switch' },
  {
    name: 'onMachine',
    section: 'functions',
    control: 'choice',
    options: ['talk', 'leaveMessage', 'hangup'],
  },
  { name: 'onFax', section: 'functions', control: 'choice', options: ['talk', 'hangup'] },
  {
    name: 'onUnknownParty',
    section: 'functions',
    control: 'choice',
    options: ['talk', 'leaveMessage', 'hangup'],
  },
  text('voicemailMessage', 'functions', { control: 'text', maxLength: 500, wide: true }),

  { ...integer('idleTimeoutSec', 'advanced', [5, 120, 1]), integer: false, unit: 's' },
  integer('inactivityMaxRetries', 'advanced', [0, 10, 1]),
  text('idleMessage', 'advanced', { control: 'text', maxLength: 500, wide: true }),
  { ...integer('maxDurationSec', 'advanced', [10, 14_400, 30]), unit: 's' },
  {
    name: 'providerFailureAction',
    section: 'advanced',
    control: 'choice',
    options: ['hangup', 'transfer'],
  },
  { name: 'recording', section: 'advanced', control: 'switch' },
  text('extractionModel', 'advanced', { control: 'text', maxLength: 100 }),
  text('extractionSchema', 'advanced', {
    control: 'area',
    maxLength: 10_000,
    format: 'schema',
    wide: true,
  }),
  text('webhookUrl', 'advanced', { control: 'text', maxLength: 500, format: 'url', wide: true }),
  { name: 'carrierRecording', section: 'advanced', control: 'switch' },
  { name: 'carrierNoiseSuppression', section: 'advanced', control: 'switch' },
]
