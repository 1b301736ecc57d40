/**
 * One SVOX Pico synthesiser in WebAssembly: text in, 16 kHz PCM out, step by step.
 *
 *   text ─► putText ─► engine ─► getData (2 ms per step) ─► Int16Array
 *
 * Pico allows one engine per system, so every language has a WASM instance of its own (about 5 MB). Its noise source is
 * not reset between utterances: the same text has the same length twice, but not the same samples.
 *
 * Invariants: synchronous after create(); only embedded-tts-worker.ts calls it, one utterance at a time.
 */
import { readFileSync } from 'node:fs'
import SvoxPico from '@echogarden/svoxpico-wasm'
import type { PicoModule } from '@echogarden/svoxpico-wasm'
import { ProviderError } from '../errors.ts'

export const PICO_RATE_HZ = 16_000

export type PicoLanguage = 'es-ES' | 'en-US'

/** Lingware files by language. */
const LINGWARE: Record<PicoLanguage, { analysis: string; signal: string }> = {
  'es-ES': { analysis: 'es-ES_ta.bin', signal: 'es-ES_zl0_sg.bin' },
  'en-US': { analysis: 'en-US_ta.bin', signal: 'en-US_lh0_sg.bin' },
}

/** Working memory Pico asks for both voices' tables and the engine; pico2wave uses the same figure. */
const SYSTEM_MEMORY_BYTES = 2_500_000
const OUTPUT_BYTES = 1_024
const NAME_BYTES = 200
const STATUS_OK = 0
const STEP_IDLE = 200
const STEP_BUSY = 201
const RESET_FULL = 0

/**
 * Text that cannot be taken for a tag and holds nothing that Pico would spell out ("comillas", "asterisco").
 * Pico knows tags but no entities (measured: `&lt;` is read aloud), so markup is replaced, not escaped.
 */
export function speakableText(text: string, language: PicoLanguage): string {
  const and = language === 'es-ES' ? ' y ' : ' and '
  return text
    .replace(/&/g, and)
    .replace(/[\p{Cc}\p{Cf}<>[\]{}|\\*_#~^`"“”«»]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Pico's speed level in percent for a speed factor; Pico takes 20…500. */
export function speedLevel(speed: number): number {
  return Math.round(Math.min(3, Math.max(0.3, Number.isFinite(speed) ? speed : 1)) * 100)
}

export class PicoEngine {
  readonly #pico: PicoModule
  readonly #language: PicoLanguage
  readonly #engine: number
  readonly #output: number
  /** Two out-parameters of four bytes each. */
  readonly #out: number
  #pending: Uint8Array = new Uint8Array(0)

  /** Use create(). */
  constructor(pico: PicoModule, language: PicoLanguage, engine: number) {
    this.#pico = pico
    this.#language = language
    this.#engine = engine
    this.#output = pico._malloc(OUTPUT_BYTES)
    this.#out = pico._malloc(8)
  }

  /**
   * Loads a voice; 60…150 ms.
   * @throws ProviderError TTS_UNAVAILABLE when the voice files are missing or refused.
   */
  static async create(language: PicoLanguage, voicesDir: URL): Promise<PicoEngine> {
    const pico = await SvoxPico({ print: () => undefined, printErr: () => undefined })
    const out = pico._malloc(4)
    const memory = pico._malloc(SYSTEM_MEMORY_BYTES)
    check(pico._pico_initialize(memory, SYSTEM_MEMORY_BYTES, out), 'pico_initialize')
    const system = readWord(pico, out)
    const voice = cString(pico, 'voice')
    const names = [LINGWARE[language].analysis, LINGWARE[language].signal].map((file) =>
      loadResource(pico, system, { file, data: readVoice(file, voicesDir) }),
    )
    check(pico._pico_createVoiceDefinition(system, voice), 'pico_createVoiceDefinition')
    for (const name of names) {
      check(pico._pico_addResourceToVoiceDefinition(system, voice, name), 'pico_addResource')
      pico._free(name)
    }
    check(pico._pico_newEngine(system, voice, out), 'pico_newEngine')
    const engine = new PicoEngine(pico, language, readWord(pico, out))
    pico._free(voice)
    pico._free(out)
    return engine
  }

  /** Forgets what was being said and takes a new text. `speed` 1 is normal. */
  begin(text: string, speed: number): void {
    check(this.#pico._pico_resetEngine(this.#engine, RESET_FULL), 'pico_resetEngine')
    const level = speedLevel(speed)
    const plain = speakableText(text, this.#language)
    // The final NUL flushes: without it Pico waits for the rest of the sentence. The tag stays open: closed, it makes
    // Pico say an empty phrase behind the text (½ s of silence with a click in it), and begin() resets the speed anyway.
    const body = level === 100 ? plain : `<speed level="${level}">${plain}`
    this.#pending = new TextEncoder().encode(`${body}\0`)
  }

  /**
   * The next piece of audio (about 2 ms), an empty array while Pico is still analysing, null at the end.
   * @throws ProviderError TTS_BAD_RESPONSE when the engine reports a failure.
   */
  step(): Int16Array | null {
    this.#feed()
    const pico = this.#pico
    const status = pico._pico_getData(
      this.#engine,
      this.#output,
      OUTPUT_BYTES,
      this.#out,
      this.#out + 4,
    )
    if (status !== STEP_BUSY && status !== STEP_IDLE) {
      throw new ProviderError('TTS_BAD_RESPONSE', `Pico stopped with status ${status}`)
    }
    const bytes = pico.HEAPU8[this.#out]! | (pico.HEAPU8[this.#out + 1]! << 8)
    if (status === STEP_IDLE && bytes === 0 && this.#pending.length === 0) return null
    const start = this.#output
    return new Int16Array(pico.HEAPU8.slice(start, start + bytes).buffer)
  }

  /** Hands over as much of the text as Pico's input buffer takes now. */
  #feed(): void {
    if (this.#pending.length === 0) return
    const pico = this.#pico
    const text = pico._malloc(this.#pending.length)
    pico.HEAPU8.set(this.#pending, text)
    const status = pico._pico_putTextUtf8(this.#engine, text, this.#pending.length, this.#out)
    const taken = pico.HEAPU8[this.#out]! | (pico.HEAPU8[this.#out + 1]! << 8)
    pico._free(text)
    check(status, 'pico_putTextUtf8')
    this.#pending = this.#pending.subarray(taken)
  }
}

function readVoice(file: string, voicesDir: URL): Uint8Array {
  try {
    return readFileSync(new URL(file, voicesDir))
  } catch (cause) {
    throw new ProviderError(
      'TTS_UNAVAILABLE',
      `The voice file server/providers/pico-voices/${file} is missing: restore it from the repository.`,
      { cause },
    )
  }
}

/** Loads one lingware file and returns the address of its resource name (to be freed). */
function loadResource(
  pico: PicoModule,
  system: number,
  lingware: { file: string; data: Uint8Array },
): number {
  const path = `/${lingware.file}`
  pico.FS.writeFile(path, lingware.data)
  const cPath = cString(pico, path)
  const out = pico._malloc(4)
  const name = pico._malloc(NAME_BYTES)
  check(pico._pico_loadResource(system, cPath, out), `pico_loadResource ${lingware.file}`)
  check(pico._pico_getResourceName(system, readWord(pico, out), name), 'pico_getResourceName')
  pico.FS.unlink(path)
  pico._free(out)
  pico._free(cPath)
  return name
}

function cString(pico: PicoModule, text: string): number {
  const bytes = new TextEncoder().encode(`${text}\0`)
  const address = pico._malloc(bytes.length)
  pico.HEAPU8.set(bytes, address)
  return address
}

function readWord(pico: PicoModule, address: number): number {
  return new DataView(pico.HEAPU8.buffer).getUint32(address, true)
}

function check(status: number, what: string): void {
  if (status !== STATUS_OK) {
    throw new ProviderError('TTS_UNAVAILABLE', `${what} failed with status ${status}`)
  }
}
