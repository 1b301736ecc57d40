/** Shapes of the API's answers and shared pieces of its requests; the documentation takes names and texts from here. */
import { z } from 'zod'
import { agentSettings } from '../agent-settings.ts'
import { CALL_STATES, END_REASONS } from '../call/call-state.ts'
import { LOAD_SIGNALS, RUNGS } from '../call/load.ts'
import { CARRIERS } from '../carriers/carrier.ts'
import { callCost } from '../store/calls.ts'

/** Any UUID: also ones that are older than the versions in RFC 9562. */
export const uuid = z.guid().meta({ example: '3f8b1c52-6f0e-4a52-9d5c-0a4f2b8f7c11' })
export const byId = z.object({ id: uuid })

const timeMs = z.number().meta({ description: 'Unix time in ms', example: 1_795_539_911_356 })
const maybe = <T extends z.ZodType>(schema: T) => schema.nullable()

export const carrierName = z.enum(CARRIERS)
export const callState = z.enum(CALL_STATES)
const endReason = z.enum(END_REASONS)

export const settings = agentSettings.meta({
  id: 'AgentSettings',
  description: 'Base values and what each profile lays over them',
})

const agentSummaryShape = {
  id: uuid,
  name: z.string(),
  version: z.int(),
  publishedAt: maybe(timeMs),
  updatedAt: timeMs,
}
export const agentSummary = z.object(agentSummaryShape).meta({ id: 'AgentSummary' })
export const agentVersion = z
  .object({
    version: z.int(),
    author: z.string(),
    createdAt: timeMs,
    publishedAt: maybe(timeMs),
  })
  .meta({ id: 'AgentVersion' })
export const agent = z.object({ ...agentSummaryShape, settings }).meta({ id: 'Agent' })

export const call = z
  .object({
    id: uuid,
    agentId: maybe(uuid),
    agentName: maybe(z.string()),
    agentVersion: maybe(z.int()),
    direction: z.enum(['inbound', 'outbound']),
    carrier: carrierName,
    carrierCallId: maybe(z.string()),
    streamId: maybe(z.string()),
    from: maybe(z.string()),
    to: maybe(z.string()),
    status: callState,
    endReason: maybe(endReason),
    startedAt: timeMs,
    answeredAt: maybe(timeMs),
    endedAt: maybe(timeMs),
    durationMs: maybe(z.number()),
    providers: z.object({
      stt: z.string().nullish(),
      llm: z.string().nullish(),
      tts: z.string().nullish(),
    }),
    turnCount: z.int(),
    cost: maybe(callCost.meta({ id: 'CallCost', description: 'Use and cost, US dollars' })),
    recordingId: maybe(uuid),
  })
  .meta({ id: 'Call' })

const latency = z
  .object({
    endpointingMs: z.number(),
    sttMs: maybe(z.number()),
    llmFirstTokenMs: maybe(z.number()),
    firstSentenceMs: maybe(z.number()),
    ttsFirstAudioMs: maybe(z.number()),
    queueMs: maybe(z.number()).optional(),
    dspMs: maybe(z.number()).optional(),
    pacingMs: maybe(z.number()).optional(),
    responseMs: z.number(),
    ownMs: z.number(),
    carrierMs: maybe(z.number()).optional().meta({ description: 'On top of responseMs' }),
  })
  .meta({ id: 'TurnLatency' })

export const turn = z
  .object({
    turnId: z.int(),
    role: z.enum(['user', 'agent']),
    textSpoken: z.string(),
    textHeard: z.string().meta({ description: 'What was played before the user took the floor' }),
    truncated: z.boolean(),
    kind: z.enum(['reply', 'greeting', 'idle', 'goodbye', 'speech', 'typed', 'digits']),
    startMs: z.number(),
    endMs: z.number(),
    latency: maybe(latency),
  })
  .meta({ id: 'Turn' })

export const callEvent = z
  .object({
    seq: z.int(),
    recordedAt: timeMs,
    atMs: z.number(),
    name: z.string(),
    data: z.unknown(),
  })
  .meta({ id: 'CallEvent' })

export const recordingLink = z
  .object({ durationMs: z.number(), channels: z.int(), url: z.string() })
  .meta({ id: 'Recording' })

export const analysis = z
  .object({
    status: z.enum(['done', 'noModel', 'failed']),
    summary: maybe(z.string()),
    outcome: maybe(z.string()),
    sentiment: maybe(z.string()),
    fields: z.record(z.string(), z.unknown()),
    note: maybe(z.string()),
  })
  .meta({ id: 'Analysis', description: 'Made by the language model after the call' })

export const voice = z
  .object({
    name: z.string(),
    label: z.string(),
    language: z.string(),
    gender: z.enum(['female', 'male', 'neutral']),
    styles: z.array(z.string()),
  })
  .meta({ id: 'Voice' })

const provider = z.object({
  name: z.string(),
  label: z.string(),
  production: z.boolean().meta({ description: 'false: for demonstration and evaluation' }),
  notice: maybe(z.string()),
})

const load = z
  .object({
    control: z.boolean().meta({ description: 'False: only the number of calls is limited' }),
    rung: z.enum(RUNGS).meta({ description: 'What is given up: nothing, bed, speculation, calls' }),
    because: maybe(z.enum(LOAD_SIGNALS)),
    admittedCalls: maybe(z.int()).meta({ description: 'That fit, by what the live ones cost' }),
    ringingCalls: z.int().meta({ description: 'Admitted, media not open yet' }),
    signals: z
      .object({
        loopUtilisation: z.number().meta({ description: 'Share of the time, 0…1' }),
        loopDelay: z.number().meta({ description: 'p99, ms' }),
        wheelLateness: z.number().meta({ description: 'p99, ms' }),
        poolWait: z.number().meta({ description: 'p99, ms' }),
        missedFrames: z.number().meta({ description: 'Share of the frames sent, 0…1' }),
      })
      .meta({ description: 'Medians of the last 3 s' }),
  })
  .meta({ id: 'Load' })

export const status = z
  .object({
    version: z.string(),
    commit: maybe(z.string()),
    uptimeSec: z.number(),
    providers: z.object({
      stt: provider,
      llm: provider.extend({
        scripted: z.boolean(),
        rateLimits: maybe(
          z.object({
            remainingRequests: maybe(z.number()),
            remainingTokens: maybe(z.number()),
            resetTokens: maybe(z.string()),
          }),
        )
          .optional()
          .meta({ description: 'Of the account, by the last answer; Groq only' }),
      }),
      tts: provider,
    }),
    calls: z.object({ live: z.int(), max: z.int() }),
    load,
    audio: z.record(z.string(), z.unknown()),
    journal: z.record(z.string(), z.unknown()),
    phrases: maybe(
      z.object({
        phrases: z.int(),
        megabytes: z.number(),
        hits: z.int(),
        misses: z.int(),
        hitRatePercent: z.number(),
        savedCharacters: z.int(),
        savedUsd: z.number(),
      }),
    ).meta({ description: 'The phrase cache of the preferred voice' }),
  })
  .meta({ id: 'Status' })

/** A query value that is there but empty (`carrier=`) means "no filter". */
export function optionalQuery<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === '' ? undefined : value), schema.optional())
}
