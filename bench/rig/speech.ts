/**
 * The user's voice in simulated calls: text → 8 kHz PCM as a telephone would deliver it.
 *
 *   embedded Pico voice (says any text)   ─┐
 *   Debian's Asterisk prompts (fixed texts) ┴─► 8 kHz mono, cached by text
 *
 * The prompts are a fallback: they cannot say a scenario's words, so each text gets a prompt chosen
 * by its hash and
 * `spoken` tells what was really said. A run says which voice it had; figures of the two do not compare.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeWav } from './wav.ts'
import { LINE_RATE_HZ } from './play-out.ts'

export interface SpokenText {
  /** 8 kHz mono. */
  pcm: Int16Array
  /** The words that are in the audio: the text itself, or a prompt's name. */
  spoken: string
}

/** How fast, and how high (pitch and formants alike), as a factor; 1 is the voice itself. */
export interface Speaker {
  speed: number
  pitch: number
}

const ATTEMPTS = 3
const PLAIN: Speaker = { speed: 1, pitch: 1 }

export interface SpeechVoice {
  readonly kind: 'embedded' | 'prompts'
  /** `language` is BCP 47; the embedded voice speaks Spanish and English. Prompts know one speaker. */
  say(text: string, language: string, speaker?: Speaker): Promise<SpokenText>
  close(): Promise<void>
}

const PROMPTS_DIR = '/usr/share/asterisk/sounds'
/** Shorter prompts are single words, longer ones announcements. */
const PROMPT_BYTES = { min: 16_000, max: 96_000 }

/**
 * The embedded voice, or with a printed reason the prompts. @throws Error naming the cure when
 * there is neither.
 */
export async function openVoice(
  notice: (text: string) => void = console.error,
): Promise<SpeechVoice> {
  try {
    return await openEmbeddedVoice()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    if (!existsSync(PROMPTS_DIR)) {
      throw new Error(
        `No voice for the simulated user. The embedded one failed: ${reason}. ` +
          'Run npm install, or apt-get install asterisk-core-sounds-es-wav asterisk-core-sounds-en-wav.',
        { cause: error },
      )
    }
    notice(
      `The embedded voice is not available (${reason}); the user speaks Asterisk prompts instead.`,
    )
    return promptVoice()
  }
}

async function openEmbeddedVoice(): Promise<SpeechVoice> {
  const { EmbeddedTts } = await import('../../server/providers/embedded-tts.ts')
  const tts = new EmbeddedTts()
  await tts.warm()
  const cache = new Map<string, Promise<Int16Array>>()
  const synthesize = async (text: string, language: string, as: Speaker): Promise<Int16Array> => {
    // Reading the samples faster makes the voice higher and quicker; the synthesiser takes the quickness back.
    const voice = { name: '', language, style: null, speed: as.speed / as.pitch }
    const chunks: Int16Array[] = []
    const events = tts.synthesize({ callId: 'rig', text, voice }, new AbortController().signal)
    for await (const event of events) if (event.kind === 'audio') chunks.push(event.pcm)
    return toLineRate(readFaster(concatenate(chunks), as.pitch), tts.sampleRateHz)
  }
  return {
    kind: 'embedded',
    async say(text, language, speaker = PLAIN) {
      const key = `${language.slice(0, 2)} ${speaker.speed} ${speaker.pitch} ${text}`
      for (let attempt = 1; ; attempt++) {
        const pending = cache.get(key) ?? synthesize(text, language, speaker)
        cache.set(key, pending)
        try {
          return { pcm: await pending, spoken: text }
        } catch (error) {
          // On a machine that does other work its watchdog may fire; a bench of ten minutes is not given up for that.
          cache.delete(key)
          if (attempt === ATTEMPTS) throw error
        }
      }
    },
    close: () => tts.close(),
  }
}

function promptVoice(): SpeechVoice {
  return {
    kind: 'prompts',
    async say(text, language) {
      const folder = join(PROMPTS_DIR, language.startsWith('en') ? 'en' : 'es')
      const names = readdirSync(folder)
        .filter((name) => name.endsWith('.wav'))
        .sort()
      const sized = names
        .map((name) => ({ name, file: readFileSync(join(folder, name)) }))
        .filter(({ file }) => file.length >= PROMPT_BYTES.min && file.length <= PROMPT_BYTES.max)
      const index = createHash('sha256').update(text).digest().readUInt32LE(0) % sized.length
      const prompt = sized[index]
      if (prompt === undefined) throw new Error(`no prompts in ${folder}`)
      const wav = decodeWav(prompt.file)
      const pcm = toLineRate(wav.channels[0] ?? new Int16Array(0), wav.sampleRateHz)
      return { pcm, spoken: `[prompt ${prompt.name}]` }
    },
    async close() {},
  }
}

/** The samples `factor` times as fast, between neighbours in a straight line. */
function readFaster(pcm: Int16Array, factor: number): Int16Array {
  if (factor === 1) return pcm
  const out = new Int16Array(Math.floor(pcm.length / factor))
  for (let i = 0; i < out.length; i++) {
    const at = Math.floor(i * factor)
    const share = i * factor - at
    out[i] = Math.round((pcm[at] ?? 0) * (1 - share) + (pcm[at + 1] ?? 0) * share)
  }
  return out
}

/** The voice as one speaker. */
export function asSpeaker(voice: SpeechVoice, speaker: Speaker): SpeechVoice {
  return {
    kind: voice.kind,
    say: (text, language) => voice.say(text, language, speaker),
    close: () => voice.close(),
  }
}

function concatenate(chunks: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/**
 * Decimates by a whole factor behind a 63-tap low pass at 3.6 kHz, so that nothing folds into the
 * telephone band.
 */
export function toLineRate(pcm: Int16Array, rateHz: number): Int16Array {
  const factor = rateHz / LINE_RATE_HZ
  if (factor === 1) return pcm
  if (!Number.isInteger(factor)) throw new RangeError(`cannot bring ${rateHz} Hz to 8 kHz`)
  const taps = lowPass(63, 3_600 / rateHz)
  const reach = (taps.length - 1) / 2
  const out = new Int16Array(Math.floor(pcm.length / factor))
  for (let i = 0; i < out.length; i++) {
    let sum = 0
    for (let k = 0; k < taps.length; k++) sum += (taps[k] ?? 0) * (pcm[i * factor + k - reach] ?? 0)
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum)))
  }
  return out
}

/** Windowed sinc (Hann), gain 1; `cutoff` in cycles per sample. */
function lowPass(count: number, cutoff: number): number[] {
  const middle = (count - 1) / 2
  const taps = Array.from({ length: count }, (_, k) => {
    const x = 2 * cutoff * (k - middle)
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
    return sinc * (0.5 - 0.5 * Math.cos((2 * Math.PI * (k + 1)) / (count + 1)))
  })
  const gain = taps.reduce((sum, tap) => sum + tap, 0)
  return taps.map((tap) => tap / gain)
}
