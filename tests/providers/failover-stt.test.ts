/** One recogniser after another for one call, in audio time: nothing lost, nothing heard twice. */
import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../server/errors.ts'
import { CallAccounts, type ProviderSwitch } from '../../server/providers/call-accounts.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import type { SttProvider, SttSession } from '../../server/providers/stt.ts'
import { ScriptedEars, broken, transcript, STT_OPTIONS } from './doubles.ts'

function begin(providers: SttProvider[], limits: { retryMs?: number; giveUpMs?: number } = {}) {
  const accounts = new CallAccounts()
  const switches: ProviderSwitch[] = []
  const finals: string[] = []
  const errors: ProviderError[] = []
  accounts.open('call-1', (change) => switches.push(change))
  // Between two looks at this clock a recogniser has had all the time that it needs.
  let wallMs = 0
  const stt = new FailoverStt(providers, { accounts, ...limits, nowMs: () => (wallMs += 10_000) })
  const session = stt.open(STT_OPTIONS, {
    onPartial: () => undefined,
    onFinal: ({ text }) => finals.push(text),
    onError: (error) => errors.push(error),
  })
  return { stt, session, accounts, switches, finals, errors }
}

/** Frames whose first sample is their number, so that each can be told from the others. */
function feed(session: SttSession, fromMs: number, toMs: number): void {
  for (let atMs = fromMs; atMs < toMs; atMs += 20) {
    session.push(new Int16Array(320).fill(atMs / 20), atMs)
  }
}

describe('recognisers in order', () => {
  it('lets the next one hear the unconfirmed speech, with its hints, when the first one breaks', () => {
    const [first, second] = [new ScriptedEars('azure', 1e9), new ScriptedEars('embedded')]
    const { session, switches, finals } = begin([first, second])
    feed(session, 0, 1_000)
    session.speechStarted(1_000)
    feed(session, 1_000, 1_800)
    session.speechEnded(1_800)
    feed(session, 1_800, 2_000)
    first.last.events.onError(broken('STT'))
    expect(first.last.closed).toBe(true)
    const heard = second.last.frames
    expect(heard[0]!.atMs).toBe(400)
    expect(heard.at(-1)!.atMs).toBe(1_980)
    expect(heard.map(({ first: number }) => number)).toEqual(heard.map(({ atMs }) => atMs / 20))
    expect(second.last.hints).toEqual(['started 1000', 'ended 1800'])
    second.last.events.onFinal(transcript('sí', 1_000, 1_800))
    expect(finals).toEqual(['sí'])
    expect(switches).toEqual([
      { part: 'stt', from: 'azure', to: 'embedded', code: 'STT_UNAVAILABLE' },
    ])
  })

  it('replays nothing that was final, and drops a final of time that was final already', () => {
    const ears = new ScriptedEars('azure', 1e9)
    const { session, finals } = begin([ears])
    session.speechStarted(200)
    feed(session, 0, 1_400)
    session.speechEnded(1_200)
    ears.last.events.onFinal(transcript('uno', 200, 1_200))
    session.speechStarted(1_500)
    feed(session, 1_400, 2_400)
    ears.last.events.onError(broken('STT'))
    expect(ears.sessions).toHaveLength(2)
    expect(ears.last.frames[0]!.atMs).toBe(1_200)
    ears.last.events.onFinal(transcript('uno', 210, 1_190))
    ears.last.events.onFinal(transcript('dos', 1_500, 2_300))
    expect(finals).toEqual(['uno', 'dos'])
  })

  it('ignores what a session says after it was replaced', () => {
    const [first, second] = [new ScriptedEars('azure', 1e9), new ScriptedEars('embedded')]
    const { session, finals } = begin([first, second])
    feed(session, 0, 500)
    const old = first.last.events
    old.onError(broken('STT'))
    old.onFinal(transcript('tarde', 0, 400))
    old.onError(broken('STT'))
    expect(finals).toEqual([])
    expect(second.sessions).toHaveLength(1)
  })

  it('leaves a recogniser that says nothing for 2 s of speech, and holds it for broken once the next hears words', async () => {
    const [first, second] = [new ScriptedEars('azure', 1e9), new ScriptedEars('embedded')]
    const { stt, session, switches } = begin([first, second])
    session.speechStarted(500)
    feed(session, 0, 2_400)
    expect(second.sessions).toHaveLength(0)
    feed(session, 2_400, 2_900)
    expect(second.sessions).toHaveLength(1)
    expect(switches[0]).toMatchObject({ to: 'embedded', code: 'STT_TIMEOUT' })
    expect(stt.name).toBe('azure')
    second.last.events.onPartial(transcript('hola', 500, 2_000))
    await Promise.resolve()
    await expect.poll(() => stt.name).toBe('embedded')
    await stt.close()
  })

  it('goes back to the preferred one in a pause when what it missed was only noise', () => {
    const [first, second] = [new ScriptedEars('azure', 1e9), new ScriptedEars('embedded')]
    const { session, switches } = begin([first, second])
    session.speechStarted(500)
    feed(session, 0, 3_000)
    session.speechEnded(3_000)
    feed(session, 3_000, 12_000)
    expect(switches.map(({ to }) => to)).toEqual(['embedded', 'azure'])
    expect(switches[1]!.code).toBe('PROVIDER_BACK')
  })

  it('renews an old session in a pause, not in speech', () => {
    const ears = new ScriptedEars('azure', 5_000)
    const { session } = begin([ears])
    feed(session, 0, 4_000)
    session.speechStarted(4_000)
    ears.last.events.onPartial(transcript('hola', 4_000, 4_400))
    feed(session, 4_000, 5_800)
    expect(ears.sessions).toHaveLength(1)
    session.speechEnded(5_800)
    ears.last.events.onFinal(transcript('hola', 4_000, 5_800))
    feed(session, 5_800, 6_200)
    expect(ears.sessions).toHaveLength(2)
    expect(ears.last.frames.every(({ atMs }) => atMs >= 5_000)).toBe(true)
  })

  it('renews a session 90 s overdue in mid-speech, which the new one hears from its beginning', () => {
    const ears = new ScriptedEars('azure', 5_000)
    const { session, finals } = begin([ears])
    session.speechStarted(4_000)
    for (let atMs = 0; atMs < 94_000; atMs += 1_000) {
      feed(session, atMs, atMs + 1_000)
      ears.last.events.onPartial(transcript('habla', 4_000, atMs + 1_000))
    }
    ears.last.events.onFinal(transcript('habla', 4_000, 94_000))
    session.speechStarted(94_200)
    feed(session, 94_000, 95_000)
    ears.last.events.onPartial(transcript('y sigue', 94_200, 95_000))
    expect(ears.sessions).toHaveLength(1)
    feed(session, 95_000, 95_200)
    expect(ears.sessions).toHaveLength(2)
    expect(ears.last.frames[0]!.atMs).toBe(94_000)
    expect(ears.last.hints).toEqual(['started 94200'])
    ears.last.events.onFinal(transcript('y sigue hablando', 94_200, 95_200))
    expect(finals).toEqual(['habla', 'y sigue hablando'])
  })

  it('tells the call only when all have failed for the whole time, and once', async () => {
    const ears = new ScriptedEars('azure', 1e9)
    const { session, errors } = begin([ears], { retryMs: 1, giveUpMs: 3 })
    feed(session, 0, 100)
    for (let round = 1; round <= 3; round++) {
      ears.last.events.onError(broken('STT'))
      await expect.poll(() => ears.sessions.length).toBe(round + 1)
    }
    ears.last.events.onError(broken('STT'))
    expect(errors).toHaveLength(1)
  })

  it('tells at once that a refused key cannot be mended, when there is nobody else', () => {
    const ears = new ScriptedEars('azure', 1e9)
    const { errors } = begin([ears])
    ears.last.events.onError(new ProviderError('STT_UNAVAILABLE', 'refused'))
    expect(errors.map(({ code }) => code)).toEqual(['STT_UNAVAILABLE'])
  })

  it('hands on what is known of a frame, and says nothing of one that is heard again', () => {
    const [first, second] = [new ScriptedEars('azure', 1e9), new ScriptedEars('embedded')]
    const { session } = begin([first, second])
    const sound = { levelDbfs: -60, probability: 0.1, speech: false }
    session.push(new Int16Array(320), 0, sound)
    first.last.events.onError(broken('STT'))
    expect(first.last.frames).toEqual([{ atMs: 0, first: 0, sound }])
    expect(second.last.frames).toEqual([{ atMs: 0, first: 0 }])
  })

  it('books what a recogniser says that it sent, where it says so', () => {
    const ears = new ScriptedEars('azure', 1e9)
    const { session, accounts } = begin([ears])
    feed(session, 0, 3_000)
    ears.last.sentMs = 1_200
    session.close()
    expect(accounts.close('call-1').sttSeconds).toEqual({ azure: 1.2 })
  })

  it('books the audio that each recogniser got', () => {
    const [first, second] = [new ScriptedEars('azure', 1e9), new ScriptedEars('embedded')]
    const { session, accounts } = begin([first, second])
    feed(session, 0, 3_000)
    first.last.events.onError(broken('STT'))
    feed(session, 3_000, 4_000)
    session.close()
    // The last second was quiet and is heard by both.
    expect(accounts.close('call-1').sttSeconds).toEqual({ azure: 3, embedded: 2 })
    expect(accounts.size).toBe(0)
  })
})
