/**
 * Scenarios: what a simulated user does in a call, as YAML, and what must come of it.
 *
 *   steps:  - waitForAgent: 3000            until the agent is heard, at most so many ms
 *           - waitForSilence: 700           until the agent was silent for so long
 *           - say: Sí, adelante.            speaks; the next step begins when it is said
 *           - interruptAfterMs: 800         the agent is heard, 800 ms pass, and the user speaks over it
 *             say: Espere, espere.
 *           - pressDigits: '12#'
 *           - breakLine: true              the media socket breaks without a word
 *           - pause: 500
 *           - waitForHangup: 8000           until the agent ends the call
 *           - hangup: true
 */
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { z } from 'zod'
import { profileOverride } from '../../server/agent-settings.ts'

const waitMs = z.int().min(1).max(120_000)
const text = z.string().min(1).max(500)

const step = z.union([
  z.strictObject({ waitForAgent: waitMs }),
  z.strictObject({ waitForSilence: waitMs }),
  z.strictObject({ say: text }),
  z.strictObject({ interruptAfterMs: z.int().min(0).max(30_000), say: text }),
  z.strictObject({ pressDigits: z.string().regex(/^[0-9*#A-D]{1,32}$/) }),
  z.strictObject({ breakLine: z.literal(true) }),
  z.strictObject({ pause: waitMs }),
  z.strictObject({ waitForHangup: waitMs }),
  z.strictObject({ hangup: z.literal(true) }),
])
export type Step = z.infer<typeof step>

/** All optional; what is given is checked by `checkExpectations` and by the tests. */
const expectations = z.strictObject({
  /** First agent audio after `start`, ms, at most. */
  greetingMs: waitMs.optional(),
  /** From the user's onset until the agent is silent, ms, at most, for every interruption. */
  bargeInMs: waitMs.optional(),
  /** Of what the user said, so many were answered before the user spoke again, at least. */
  replies: z.int().min(0).optional(),
  endedBy: z.enum(['user', 'server']).optional(),
})
export type Expectations = z.infer<typeof expectations>

const scenario = z.strictObject({
  name: z.string().min(1).max(60),
  description: z.string().max(500).optional(),
  /** BCP 47: the language the user speaks. */
  language: z.string().regex(/^[a-z]{2}-[A-Z]{2}$/),
  from: z.string().regex(/^\+[1-9]\d{6,14}$/),
  to: z.string().regex(/^\+[1-9]\d{6,14}$/),
  /** Settings the agent must have; applied only to a server that the rig started itself. */
  agent: profileOverride.default({}),
  /** Shares of the user's media messages that the carrier mistreats, from a seed (trouble.ts). */
  trouble: z
    .strictObject({
      seed: z.int().default(1),
      reorder: z.number().min(0).max(1).default(0),
      lose: z.number().min(0).max(1).default(0),
      repeat: z.number().min(0).max(1).default(0),
      delay: z.number().min(0).max(1).default(0),
    })
    .optional(),
  steps: z.array(step).min(1).max(200),
  expect: expectations.default({}),
})
export type Scenario = z.infer<typeof scenario>

/** @throws Error naming the file and the place of each mistake. */
export async function readScenario(path: string): Promise<Scenario> {
  const parsed = scenario.safeParse(parse(await readFile(path, 'utf8')))
  if (parsed.success) return parsed.data
  throw new Error(`${path}: ${z.prettifyError(parsed.error)}`)
}
