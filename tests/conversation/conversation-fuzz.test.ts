/** Random calls: whatever users, models and voices do in whatever order, these things hold. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextState } from '../../server/conversation/turn-state.ts'
import { Rig } from './rig.ts'

type Step = (rig: Rig) => Promise<void> | void

const TEXTS = [
  'ajá',
  'espera',
  'quiero una cita',
  'quiero',
  'y',
  'sí',
  'cinco cinco',
  'Con gusto le explico',
  '',
]
const ANSWERS = [
  'Claro. ',
  'Con mucho gusto le explico todo lo que quiera saber. ',
  '[END_',
  'CALL]',
  '¿Le queda ',
  'bien? ',
]

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 1, max: 100 }).map(
    (n): Step =>
      (rig) =>
        rig.run(n * 20),
  ),
  fc.integer({ min: 1, max: 60 }).map(
    (n): Step =>
      (rig) =>
        rig.sound(n * 20),
  ),
  fc.constantFrom(...TEXTS).map(
    (text): Step =>
      (rig) =>
        rig.partial(text),
  ),
  fc.constantFrom(...TEXTS).map(
    (text): Step =>
      (rig) =>
        rig.final(text),
  ),
  fc.constantFrom(...TEXTS).map(
    (text): Step =>
      (rig) =>
        rig.conversation.typed(text),
  ),
  fc.constantFrom('1', '#').map(
    (digit): Step =>
      (rig) =>
        rig.conversation.digit(digit),
  ),
  fc.constantFrom(...ANSWERS).map(
    (text): Step =>
      (rig) =>
        void rig.llm.answers.at(-1)?.say(text),
  ),
  fc.constantFrom(...ANSWERS).map(
    (text): Step =>
      (rig) =>
        void rig.llm.answers.at(-1)?.say(text).done(),
  ),
  fc.constant<Step>((rig) => void rig.llm.answers.at(-1)?.fail()),
  fc.constant<Step>((rig) => void (rig.tts.failures = 1)),
)

async function call(steps: Step[]): Promise<Rig> {
  const rig = new Rig({
    firstMessageMode: 'speak-first',
    maxDurationSec: 60,
    enableDialKeypad: true,
  })
  rig.conversation.start()
  for (const take of steps) {
    await take(rig)
    // One answer at a time may be alive.
    const alive = rig.llm.answers.filter((answer) => !answer.signal.aborted)
    expect(alive.length).toBeLessThanOrEqual(1)
  }
  return rig
}

function checkEvents(rig: Rig): void {
  const states = ['listening', ...rig.states] as const
  const events = [
    'commit',
    'withdraw',
    'voice',
    'duck',
    'resume',
    'takeFloor',
    'finished',
    'end',
  ] as const
  for (let i = 1; i < states.length; i++) {
    const reachable = events.map((event) => nextState(states[i - 1] as never, event))
    expect(reachable).toContain(states[i])
  }
  const ids = rig.turns.map((turn) => turn.turnId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const turn of rig.turns) {
    expect(turn.textSpoken.startsWith(turn.textHeard) || !turn.truncated).toBe(true)
    expect(turn.textSpoken).not.toContain('[')
    expect(turn.endMs).toBeGreaterThanOrEqual(turn.startMs)
  }
}

describe('conversation under random use', () => {
  it(
    'keeps its invariants in 150 random calls of up to 40 steps, seed 7',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const rig = await call(steps)
          checkEvents(rig)
          rig.conversation.close()
          expect(rig.conversation.state).toBe('ended')
          const count = rig.events.length
          await rig.sound(400)
          rig.final('hola')
          await rig.run(200)
          expect(rig.events).toHaveLength(count)
          expect(rig.hangups.length).toBeLessThanOrEqual(1)
        }),
        { numRuns: 150, seed: 7 },
      )
    },
  )

  it(
    'ends every call by itself when the user goes away, in 30 random calls, seed 8',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          const rig = await call(steps)
          for (const answer of rig.llm.answers) answer.done()
          await rig.run(70_000)
          expect(rig.hangups).toHaveLength(1)
        }),
        { numRuns: 30, seed: 8 },
      )
    },
  )
})
