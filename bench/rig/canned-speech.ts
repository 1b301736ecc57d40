/**
 * What the users of a load test say: eight turns with a hesitation inside each sentence, rendered once by the embedded
 * voice, kept on disk, cut into ready base64 frames. A call then costs the rig one table look-up per frame.
 *
 * The hesitations (600, 700, 800, 900 ms) are those of the published method that our figures are compared with: a server
 * that answers into them is talked over, and its turn does not count as answered.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodePcmu, SILENCE_BYTE } from './mulaw.ts'
import { FRAME_MS } from './pacer.ts'
import { openVoice, type SpeechVoice } from './speech.ts'
import { audibleSpan } from './voice-activity.ts'

const BYTES_PER_MS = 8
const FRAME_BYTES = FRAME_MS * BYTES_PER_MS
const CACHE_DIR = join(tmpdir(), 'andrea-bench-speech')
const LANGUAGE = 'es-MX'

export interface ScriptTurn {
  before: string
  hesitationMs: number
  after: string
}

export const SCRIPT: readonly ScriptTurn[] = [
  { before: 'Sí, le escucho bien, pero', hesitationMs: 600, after: 'dígame de qué se trata.' },
  { before: 'Tengo un restaurante en', hesitationMs: 700, after: 'el centro de Guadalajara.' },
  { before: 'Facturamos todos los días y', hesitationMs: 800, after: 'también a empresas.' },
  { before: 'Somos doce empleados y', hesitationMs: 900, after: 'dos de medio tiempo.' },
  { before: 'Me interesa saber cuánto', hesitationMs: 600, after: 'cuesta la asesoría.' },
  { before: 'La llamada puede ser el', hesitationMs: 700, after: 'martes por la tarde.' },
  { before: 'Mi nombre es Laura y', hesitationMs: 800, after: 'este es mi número.' },
  { before: 'Muchas gracias por', hesitationMs: 900, after: 'la información, hasta luego.' },
]

/** One turn, ready to send. */
export interface SpokenLine {
  /** 216 ASCII bytes each. */
  frames: Buffer[]
  /** End of the last audible sound, ms from the beginning of the first frame. */
  audibleEndMs: number
}

export const SILENT_FRAME: Buffer = base64Frame(new Uint8Array(FRAME_BYTES).fill(SILENCE_BYTE))

/** The script as audio; speaks only what the cache does not hold. @throws Error when there is no voice. */
export async function spokenScript(
  script: readonly ScriptTurn[] = SCRIPT,
  notice: (text: string) => void = console.error,
): Promise<SpokenLine[]> {
  await mkdir(CACHE_DIR, { recursive: true })
  let voice: SpeechVoice | null = null
  const say = async (text: string): Promise<Uint8Array> => {
    const name = createHash('sha256').update(`${LANGUAGE} ${text}`).digest('hex').slice(0, 24)
    const path = join(CACHE_DIR, `${name}.ulaw`)
    const known = await readFile(path).catch(() => null)
    if (known !== null) return known
    voice ??= await openVoice(notice)
    const payload = trimmed((await voice.say(text, LANGUAGE)).pcm)
    await writeFile(path, payload)
    return payload
  }
  try {
    const lines: SpokenLine[] = []
    for (const { before, hesitationMs, after } of script) {
      lines.push(spokenLine(await say(before), hesitationMs, await say(after)))
    }
    return lines
  } finally {
    await (voice as SpeechVoice | null)?.close()
  }
}

/** Two pieces of PCMU with silence between them, padded with silence to whole frames. */
export function spokenLine(
  before: Uint8Array,
  hesitationMs: number,
  after: Uint8Array,
): SpokenLine {
  const bytes = before.length + hesitationMs * BYTES_PER_MS + after.length
  const whole = new Uint8Array(Math.ceil(bytes / FRAME_BYTES) * FRAME_BYTES).fill(SILENCE_BYTE)
  whole.set(before)
  whole.set(after, before.length + hesitationMs * BYTES_PER_MS)
  const frames = Array.from({ length: whole.length / FRAME_BYTES }, (_, i) =>
    base64Frame(whole.subarray(i * FRAME_BYTES, (i + 1) * FRAME_BYTES)),
  )
  return { frames, audibleEndMs: bytes / BYTES_PER_MS }
}

/** Without the silence around it, so that a hesitation is as long as the script says. */
function trimmed(pcm: Int16Array): Uint8Array {
  const span = audibleSpan(pcm)
  if (span === null) throw new Error('the voice said nothing audible')
  return encodePcmu(pcm.subarray(span.startMs * BYTES_PER_MS, span.endMs * BYTES_PER_MS))
}

function base64Frame(payload: Uint8Array): Buffer {
  return Buffer.from(Buffer.from(payload).toString('base64'), 'latin1')
}
