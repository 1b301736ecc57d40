/** Random users, partials of any reach and finals of any delay: every word that was finalised is stored, once. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Rig } from './rig.ts'

const FRAME_MS = 20

interface Said {
  soundMs: number
  gapMs: number
  /** Words of the partial, 0…4, and where it comes. */
  partialWords: number
  finalDelayMs: number
  /** The model answers so long after this utterance. */
  answerMs: number
}

const said: fc.Arbitrary<Said> = fc.record({
  soundMs: fc.integer({ min: 20, max: 100 }).map((n) => n * FRAME_MS),
  gapMs: fc.integer({ min: 12, max: 150 }).map((n) => n * FRAME_MS),
  partialWords: fc.integer({ min: 0, max: 4 }),
  finalDelayMs: fc.integer({ min: 10, max: 120 }).map((n) => n * FRAME_MS),
  answerMs: fc.integer({ min: 10, max: 100 }).map((n) => n * FRAME_MS),
})

function textOf(index: number): string {
  return ['a', 'b', 'c', 'd'].map((letter) => `palabra${index}${letter}`).join(' ')
}

interface Due {
  atMs: number
  run(): void
}

async function call(utterances: Said[]): Promise<Rig> {
  const rig = new Rig({ silenceTimeoutMs: 700, interruptionWords: 2 })
  const due: Due[] = []
  const advance = async (ms: number, sound: boolean): Promise<void> => {
    for (let left = ms; left > 0; left -= FRAME_MS) {
      await (sound ? rig.sound(FRAME_MS) : rig.run(FRAME_MS))
      for (const item of due.filter((one) => one.atMs <= rig.nowMs)) {
        due.splice(due.indexOf(item), 1)
        item.run()
      }
    }
  }
  for (const [
    i,
    { soundMs, gapMs, partialWords, finalDelayMs, answerMs },
  ] of utterances.entries()) {
    const startMs = rig.nowMs
    const endMs = startMs + soundMs
    const text = textOf(i)
    const partial = text.split(' ').slice(0, partialWords).join(' ')
    const reachMs = startMs + (soundMs * partialWords) / 4
    if (partial !== '') {
      const fromMs = Math.max(0, startMs - 100)
      due.push({ atMs: reachMs + 100, run: () => rig.partial(partial, fromMs, reachMs) })
    }
    const finalMs = Math.max(endMs + finalDelayMs, reachMs + 120)
    due.push({ atMs: finalMs, run: () => rig.final(`${text}.`, startMs, endMs) })
    due.push({
      atMs: endMs + answerMs,
      run: () => void rig.llm.answers.at(-1)?.say('Con gusto le explico todo. ').done(),
    })
    await advance(soundMs, true)
    await advance(gapMs, false)
  }
  await advance(3_000, false)
  rig.conversation.close()
  return rig
}

it(
  'stores every finalised word once, in 400 random calls of up to 6 utterances, seed 11',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(said, { minLength: 1, maxLength: 6 }), async (utterances) => {
        const rig = await call(utterances)
        const stored = rig.turns.filter((turn) => turn.role === 'user').map((t) => t.textSpoken)
        const ignored = rig.of('ignored').map((event) => event.text)
        const words = [...stored, ...ignored].join(' ').replaceAll('.', '').split(' ')
        const expected = utterances.flatMap((_, i) => textOf(i).split(' '))
        expect(words.toSorted()).toEqual(expected.toSorted())
        expect(ignored).toEqual([])
      }),
      { numRuns: 400, seed: 11 },
    )
  },
)
