/**
 * An agent's settings: one zod schema for the whole document, base values for every profile and overrides per profile.
 * Names, ranges and defaults are those of the original product, so that its users find what they know; only settings
 * that take effect are here. A value that is absent in a profile falls back to the base; 0, false and "" are values.
 */
import { z } from 'zod'
import { httpTools } from './tools/http-tool.ts'

export const PROFILES = ['browser', 'twilio', 'telnyx'] as const
export type Profile = (typeof PROFILES)[number]

const e164 = z.string().regex(/^\+[1-9]\d{6,14}$/, 'a phone number in E.164, e.g. +525512345678')
const language = z.string().regex(/^[a-z]{2}-[A-Z]{2}$/, 'a language tag such as es-MX')

const schemaDocument = z.looseObject({ properties: z.record(z.string(), z.unknown()) })

function isSchema(text: string): boolean {
  if (text.trim() === '') return true
  try {
    return schemaDocument.safeParse(JSON.parse(text)).success
  } catch (error) {
    return !(error instanceof SyntaxError)
  }
}

export const DEFAULT_PROMPT = `Eres Andrea, consultora sénior de Ubrokers, una correduría que ayuda a dueños de negocio con beneficios fiscales.
Hablas por teléfono: responde en español de México, con calidez, en dos frases como máximo, sin listas ni formato.
Fases: 1) conecta y confirma que es buen momento; 2) califica: giro del negocio, si factura, cuántos empleados; 3) propón una llamada gratuita de 15 minutos sobre beneficios fiscales; 4) convierte: pide nombre y WhatsApp y confirma el horario.
Si piden hablar con una persona, transfiere. Si no les interesa, agradece y despídete. No inventes datos ni precios.`

/** Every setting with its range; `profileShape` is also what an override may hold, each value optional. */
const profileShape = {
  llmModel: z.string().min(1).max(100),
  temperature: z.number().min(0).max(2),
  maxTokens: z.int().min(1).max(4_096),
  systemPrompt: z.string().max(10_000),
  firstMessage: z.string().max(500),
  firstMessageMode: z.enum(['speak-first', 'wait-for-user', 'speak-first-dynamic']),
  language,
  /** Further languages that the agent may change to during a call, each with the provider's own voice for it. */
  languages: z.array(language).max(8),
  voiceName: z.string().min(1).max(100),
  voiceStyle: z.string().max(50).nullable(),
  voiceSpeed: z.number().min(0.5).max(2),
  /** How strong the style is; voices without styles ignore it. */
  voiceStyleDegree: z.number().min(0.01).max(2),
  /** Shift of the pitch, and change of the volume, in percent. */
  voicePitch: z.number().min(-50).max(50),
  voiceVolume: z.number().min(-50).max(50),
  voicePacingMs: z.int().min(0).max(2_000),
  /** none, office, cafe, callcenter, or the name of an uploaded bed. */
  backgroundSound: z.string().trim().min(1).max(60),
  backgroundVolume: z.number().min(0).max(1),
  /** Words that take the floor from the agent. */
  interruptionWords: z.int().min(0).max(20),
  /** So many characters take it too, however few words they are; 0: words alone count. */
  interruptionCharacters: z.int().min(0).max(100),
  /** "Como le decía,": said before the words that a pause kept from the user; '': it goes on in mid-word, as it stopped. */
  resumePhrase: z.string().max(100),
  stopWords: z.array(z.string().min(1).max(40)).max(50),
  /** 0 (only loud, clear speech) … 1 (the faintest voice). */
  vadSensitivity: z.number().min(0).max(1),
  /** Steady noise is taken out of what the recogniser hears; detection and recording keep the line as it is. */
  noiseSuppression: z.boolean(),
  silenceTimeoutMs: z.int().min(100).max(5_000),
  /** The shortest and the longest wait for the end of a turn, ms; 0: from silenceTimeoutMs (0.6 ×, 3 ×). */
  endpointingMinMs: z.int().min(0).max(3_000),
  endpointingMaxMs: z.int().min(0).max(6_000),
  /** When nothing of the answer can be heard this long after the turn, a filler phrase is said; 0: never. */
  fillerAfterMs: z.int().min(0).max(10_000),
  /** None: the language's own. */
  fillerPhrases: z.array(z.string().min(1).max(100)).max(20),
  /** Said before the first message, and not interruptible: "this call is recorded"; '' for none. */
  legalNotice: z.string().max(1_000),
  initialSilenceMs: z.int().min(1_000).max(60_000),
  /** A transcript shorter than this that is not a known short answer ("sí", "no", a number) is ignored. */
  inputMinCharacters: z.int().min(0).max(100),
  /** Drops turns much softer than what this user has said so far. */
  adaptiveLevelFilter: z.boolean(),
  hallucinationBlacklist: z.array(z.string().max(100)).max(100),
  phrases: z.array(z.string().max(100)).max(500),
  /** What the recogniser does with swear words, where it can. */
  profanity: z.enum(['raw', 'masked', 'removed']),
  /** Each utterance is also heard by this model at Groq, whose words replace the recogniser's when they come in time. */
  secondHearing: z.enum(['off', 'whisper-large-v3-turbo', 'whisper-large-v3']),
  /** Silence that ends a phrase inside the recogniser, ms (at least 100); 0: silenceTimeoutMs. */
  segmentationSilenceMs: z.int().min(0).max(5_000),
  enableEndCall: z.boolean(),
  enableDialKeypad: z.boolean(),
  /** Services of one's own that the model may call. Header values are secrets. */
  httpTools,
  transferPhoneNumber: e164.nullable(),
  /** Said to the person before the user is connected; empty connects at once. {{from}} and other variables are filled. */
  transferAnnouncement: z.string().max(500),
  idleTimeoutSec: z.number().min(5).max(120),
  idleMessage: z.string().max(500),
  inactivityMaxRetries: z.int().min(0).max(10),
  maxDurationSec: z.int().min(10).max(14_400),
  /** When providers keep failing, after an apology. A transfer needs transferPhoneNumber, else it is a hang-up. */
  providerFailureAction: z.enum(['hangup', 'transfer']),
  recording: z.boolean(),
  /** '': the model of the conversation. */
  extractionModel: z.string().max(100),
  /** JSON Schema of what is extracted after the call, an object with properties; '': the original's five fields. */
  extractionSchema: z.string().max(10_000).refine(isSchema, 'a JSON Schema object with properties'),
  /** Where the result of a call is posted; '': nowhere. */
  webhookUrl: z.literal('').or(z.url({ protocol: /^https?$/ }).max(500)),
  /** The carrier records too, both sides on channels of their own. */
  carrierRecording: z.boolean(),
  /** The carrier takes noise out of the user's audio before it reaches us (Telnyx). */
  carrierNoiseSuppression: z.boolean(),
  /** On calls out: ask the carrier who answers, and do as the next three say. */
  machineDetection: z.boolean(),
  onMachine: z.enum(['talk', 'leaveMessage', 'hangup']),
  onFax: z.enum(['talk', 'hangup']),
  onUnknownParty: z.enum(['talk', 'leaveMessage', 'hangup']),
  voicemailMessage: z.string().max(500),
}

export const profileSettings = z.strictObject(profileShape)
export type ProfileSettings = z.infer<typeof profileSettings>

export const profileOverride = profileSettings.partial()

export const agentSettings = z.strictObject({
  base: profileSettings,
  profiles: z.strictObject({
    browser: profileOverride,
    twilio: profileOverride,
    telnyx: profileOverride,
  }),
})
export type AgentSettings = z.infer<typeof agentSettings>

/** The settings a new installation starts with: the original's defaults. */
export const DEFAULT_SETTINGS: AgentSettings = {
  base: {
    llmModel: 'llama-3.3-70b-versatile',
    temperature: 0.7,
    maxTokens: 250,
    systemPrompt: DEFAULT_PROMPT,
    firstMessage: 'Hola, soy Andrea de Ubrokers. ¿Me escucha bien?',
    firstMessageMode: 'speak-first',
    language: 'es-MX',
    languages: [],
    voiceName: 'es-MX-DaliaNeural',
    voiceStyle: null,
    voiceSpeed: 1,
    voiceStyleDegree: 1,
    voicePitch: 0,
    voiceVolume: 0,
    voicePacingMs: 0,
    backgroundSound: 'none',
    backgroundVolume: 0.15,
    interruptionWords: 1,
    interruptionCharacters: 0,
    resumePhrase: '',
    stopWords: [
      ...['espera', 'espere', 'espérese', 'un momento', 'permítame', 'para', 'alto', 'oye'],
      ...['disculpa', 'perdona', 'stop', 'wait', 'hold on'],
    ],
    vadSensitivity: 0.5,
    noiseSuppression: false,
    silenceTimeoutMs: 500,
    endpointingMinMs: 240,
    endpointingMaxMs: 1_500,
    fillerAfterMs: 2_000,
    fillerPhrases: [],
    legalNotice: '',
    initialSilenceMs: 30_000,
    inputMinCharacters: 2,
    adaptiveLevelFilter: true,
    hallucinationBlacklist: ['Pero.', 'Y...', 'Mm.', 'Oye.', 'Ah.'],
    phrases: [],
    profanity: 'raw',
    secondHearing: 'off',
    segmentationSilenceMs: 0,
    enableEndCall: true,
    enableDialKeypad: false,
    httpTools: [],
    transferPhoneNumber: null,
    transferAnnouncement: '',
    idleTimeoutSec: 10,
    idleMessage: '¿Hola? ¿Sigue ahí?',
    inactivityMaxRetries: 3,
    maxDurationSec: 600,
    providerFailureAction: 'hangup',
    recording: true,
    extractionModel: '',
    extractionSchema: '',
    webhookUrl: '',
    carrierRecording: false,
    carrierNoiseSuppression: false,
    machineDetection: true,
    onMachine: 'leaveMessage',
    onFax: 'hangup',
    onUnknownParty: 'talk',
    voicemailMessage: 'Hola, le llamó Andrea de Ubrokers. Le volveremos a llamar. ¡Hasta luego!',
  },
  profiles: {
    browser: {},
    // The original's level filter was never fed on the telephone.
    twilio: {
      ...{ voiceSpeed: 0.9, silenceTimeoutMs: 700, interruptionWords: 2 },
      adaptiveLevelFilter: false,
    },
    telnyx: {
      ...{ voiceSpeed: 0.9, silenceTimeoutMs: 700, interruptionWords: 2, idleTimeoutSec: 20 },
      adaptiveLevelFilter: false,
    },
  },
}

/** Base settings with the profile's own values laid over them. */
export function resolveProfile(settings: AgentSettings, profile: Profile): ProfileSettings {
  return { ...settings.base, ...settings.profiles[profile] }
}
