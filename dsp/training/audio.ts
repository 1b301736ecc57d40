/**
 * Audio: the recorded voices and music of the corpora, from Debian's asterisk packages (8 kHz WAV).
 *
 *   /usr/share/asterisk (installed)  or  data/vad/audio (fetched: apt-get download, dpkg-deb -x)
 *
 * Fetching needs no root and installs nothing. None of the audio is in the repository or in the
 * product.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Every set is CC-BY-3.0 or CC-BY-SA-3.0; who is to be named: README.md. */
const SETS = {
  es: ['asterisk-core-sounds-es-wav', 'sounds/es_MX_f_Allison'],
  en: ['asterisk-core-sounds-en-wav', 'sounds/en_US_f_Allison'],
  fr: ['asterisk-core-sounds-fr-wav', 'sounds/fr_CA_f_June'],
  it: ['asterisk-core-sounds-it-wav', 'sounds/it_IT_m_Carlo'],
  ru: ['asterisk-core-sounds-ru-wav', 'sounds/ru_RU_f_IvrvoiceRU'],
  it2: ['asterisk-prompt-it-menardi-wav', 'sounds/it_IT_f_Menardi'],
  music: ['asterisk-moh-opsound-wav', 'moh'],
} as const

export type AudioSet = keyof typeof SETS

const DATA = fileURLToPath(new URL('../../data/vad/', import.meta.url))
const PLACES = ['/usr/share/asterisk', join(DATA, 'audio/usr/share/asterisk')]

/** Where a set lies now; null when it does not. */
function placeOf(set: AudioSet): string | null {
  return PLACES.map((place) => join(place, SETS[set][1])).find((path) => existsSync(path)) ?? null
}

/**
 * Fetches the sets that are absent (130 MB in all) into data/vad/.
 * Throws an Error that says what to install where apt cannot fetch.
 */
export function fetchAudio(sets: readonly AudioSet[]): void {
  const missing = sets.filter((set) => placeOf(set) === null).map((set) => SETS[set][0])
  if (missing.length === 0) return
  const debs = join(DATA, 'debs')
  mkdirSync(debs, { recursive: true })
  try {
    execFileSync('apt-get', ['download', ...missing], {
      cwd: debs,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    for (const name of readdirSync(debs).filter((n) => n.endsWith('.deb'))) {
      execFileSync('dpkg-deb', ['-x', join(debs, name), join(DATA, 'audio')])
    }
  } catch (cause) {
    throw new Error(
      `The recorded audio is absent and apt cannot fetch it here. On Debian or Ubuntu:\n` +
        `  sudo apt-get update && sudo apt-get install ${missing.join(' ')}\n` +
        `Elsewhere, unpack these packages so that ${PLACES[1]} holds sounds/ and moh/.`,
      { cause },
    )
  }
}

/** The samples of a set's files in the order of their paths, from 0.5 s to `longestSec`. */
export function loadSet(set: AudioSet, longestSec = 8): Float32Array[] {
  return recordingsOf(set)
    .map((one) => one.samples)
    .filter((x) => x.length >= 4_000 && x.length <= longestSec * 8_000)
}

/** Every file of a set but those of silence, in the order of their paths. */
export function recordingsOf(set: AudioSet): { name: string; samples: Float32Array }[] {
  const place = placeOf(set)
  if (place === null) throw new Error(`the audio set ${set} is absent`)
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.wav') && !name.includes('silence'))
    .sort()
    .map((name) => ({ name, samples: samplesOf(readFileSync(join(place, name))) }))
}

/** 16-bit mono PCM of a WAV file, −1…1. */
function samplesOf(bytes: Buffer): Float32Array {
  const data = bytes.indexOf('data', 12, 'latin1') + 8
  const count = Math.floor((bytes.length - data) / 2)
  return Float32Array.from({ length: count }, (_, n) => bytes.readInt16LE(data + n * 2) / 32_768)
}
