/** The SDK's recursions as loops: that they are replaced in the version installed, and that the loop does what the SDK's did. */
import { describe, expect, it, vi } from 'vitest'
import { endRounds, type SdkInside } from '../../server/providers/azure-sdk-rounds.ts'

const ROOT = 'microsoft-cognitiveservices-speech-sdk/distrib/lib/src/common.speech'
const BYTES_PER_SEC = 32_000
const RATES = [
  { rateHz: 8_000, avgBytesPerSec: 16_000 },
  { rateHz: 16_000, avgBytesPerSec: 32_000 },
]

interface Sent {
  requestId: string
  body: ArrayBuffer | null
  atMs: number
}

/** Text that the guard looks for stands in these methods, as in the SDK's. */
class Recognizer {
  async sendAudio(): Promise<void> {
    const readAndUploadCycle = async (): Promise<void> => {
      return readAndUploadCycle()
    }
    return readAndUploadCycle()
  }

  rounds = 0
  async receiveMessage(): Promise<void> {
    await Promise.resolve()
    if (++this.rounds < 5) {
      return this.receiveMessage()
    }
  }
}
class Synthesizer {}

function insideOf(recognizer: object, synthesizer: object): SdkInside {
  return {
    recognizer: recognizer as SdkInside['recognizer'],
    synthesizer: synthesizer as SdkInside['synthesizer'],
    audioMessage: (requestId, body) => ({ requestId, body }),
  }
}

/** A recogniser whose clock is the delays that were asked for; a pause lies before the chunk behind it. */
function recogniser(
  chunks: (number | 'end' | { pauseMs: number })[],
  { endsAfter = Infinity, avgBytesPerSec = BYTES_PER_SEC } = {},
) {
  const sent: Sent[] = []
  const waits: number[] = []
  const session = {
    ...{ recogNumber: 1, isSpeechEnded: false, isRecognizing: true, bytesSent: 0 },
    ...{ requestId: 'R1', ended: 0 },
    onAudioSent: (bytes: number) => (session.bytesSent += bytes),
    onSpeechEnded: () => (session.ended += 1),
    onServiceTurnEndResponse: () => Promise.resolve(),
  }
  const inside = Object.assign(new Recognizer(), {
    audioSource: { format: Promise.resolve({ avgBytesPerSec }) },
    audioStreamId: undefined,
    ...{ privIsDisposed: false, privIsLiveAudio: false, privAverageBytesPerMs: 0 },
    privRecognizerConfig: {
      isContinuousRecognition: true,
      parameters: { getProperty: (_name: string, fallback: string) => fallback },
    },
    privRequestSession: session,
    fetchConnection: () =>
      Promise.resolve({
        send: (message: unknown) => {
          sent.push({ ...(message as Sent), atMs: waits.reduce((sum, ms) => sum + ms, 0) })
          if (sent.length === endsAfter) session.isSpeechEnded = true
          return Promise.resolve()
        },
      }),
    delay: (ms: number) => {
      waits.push(ms)
      return Promise.resolve()
    },
  })
  const audio = {
    read: () => {
      let next = chunks.shift()
      for (; typeof next === 'object'; next = chunks.shift()) {
        vi.setSystemTime(Date.now() + next.pauseMs)
      }
      const bytes = typeof next === 'number' ? next : 0
      return Promise.resolve({ buffer: new ArrayBuffer(bytes), isEnd: bytes === 0 })
    },
  }
  const send = (): Promise<void> =>
    (inside as unknown as { sendAudio(audio: unknown): Promise<void> }).sendAudio(audio)
  return { inside, session, sent, waits, send }
}

describe('azure sdk rounds', () => {
  it('replaces all 3 recursions of the version that is installed', async () => {
    await import('microsoft-cognitiveservices-speech-sdk')
    const { ServiceRecognizerBase } = (await import(`${ROOT}/ServiceRecognizerBase.js`)) as {
      ServiceRecognizerBase: { prototype: object }
    }
    const { SynthesisAdapterBase } = (await import(`${ROOT}/SynthesisAdapterBase.js`)) as {
      SynthesisAdapterBase: { prototype: object }
    }
    const copyOf = ({ prototype }: { prototype: object }) => ({
      prototype: Object.defineProperties({}, Object.getOwnPropertyDescriptors(prototype)),
    })
    const replaced = endRounds(
      insideOf(copyOf(ServiceRecognizerBase), copyOf(SynthesisAdapterBase)),
    )
    expect(replaced).toEqual([
      'recognizer.receiveMessage',
      'synthesizer.receiveMessage',
      'recognizer.sendAudio',
    ])
  })

  it('leaves an SDK alone that is written in another way', () => {
    class Other {
      async sendAudio(): Promise<void> {}
      async receiveMessage(): Promise<void> {}
    }
    const { sendAudio } = Other.prototype
    expect(endRounds(insideOf(Other, Synthesizer))).toEqual([])
    expect(Other.prototype.sendAudio).toBe(sendAudio)
  })

  it('receives round after round, and the promise of the first does not wait for the fifth', async () => {
    endRounds(insideOf(Recognizer, Synthesizer))
    const recognizer = new Recognizer()
    await recognizer.receiveMessage()
    expect(recognizer.rounds).toBeLessThan(5)
    for (let i = 0; i < 20; i++) await Promise.resolve()
    expect(recognizer.rounds).toBe(5)
  })

  it('sends 3 pieces and an empty one at the end of the audio, then tells of the end', async () => {
    const { sent, session, send } = recogniser([3_200, 3_200, 3_200, 'end'])
    await send()
    expect(sent.map(({ body }) => body?.byteLength ?? null)).toEqual([3_200, 3_200, 3_200, null])
    expect(sent.every(({ requestId }) => requestId === 'R1')).toBe(true)
    expect(session.ended).toBe(1)
  })

  it.each(RATES)(
    'holds audio back behind the first 5 s, to twice the speed at which it is spoken, at $rateHz Hz',
    async ({ avgBytesPerSec }) => {
      const second = avgBytesPerSec
      const { sent, waits, send } = recogniser(
        [second, second, second, second, second, second, 'end'],
        { avgBytesPerSec },
      )
      await send()
      expect(sent).toHaveLength(7)
      expect(waits).toHaveLength(1)
      expect(waits[0]).toBeGreaterThan(400)
      expect(waits[0]).toBeLessThanOrEqual(500)
    },
  )

  it.each(RATES)(
    'sends 1 s at once behind a pause in which nothing was sent, and the next at twice the speed, at $rateHz Hz',
    async ({ avgBytesPerSec }) => {
      vi.useFakeTimers({ toFake: ['Date'] })
      try {
        const beginning = Array.from({ length: 60 }, () => avgBytesPerSec / 10)
        const burst = Array.from({ length: 15 }, () => avgBytesPerSec / 10)
        const { waits, send } = recogniser([...beginning, { pauseMs: 10_000 }, ...burst, 'end'], {
          avgBytesPerSec,
        })
        await send()
        // Behind the first 5 s each piece waits; behind the pause only those beyond 10.
        expect(waits.slice(0, 10).every((ms) => ms >= 50)).toBe(true)
        expect(waits.slice(10)).toHaveLength(4)
      } finally {
        vi.useRealTimers()
      }
    },
  )

  it('stops at the end of the speech, with audio left', async () => {
    const { sent, session, send } = recogniser([3_200, 3_200, 3_200, 3_200], { endsAfter: 2 })
    await send()
    expect(sent).toHaveLength(2)
    expect(session.ended).toBe(0)
  })
})
