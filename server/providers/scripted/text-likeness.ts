/** How alike two pieces of speech are: word stems, weighted by how telling they are, and trigrams for misheard words. */

/** Texts whose words are kept: each of a call's sentences is looked at many times. */
const PLAIN_LIMIT = 10_000
const knownPlain = new Map<string, readonly string[]>()

/** Lower case, without accents and punctuation. The result is shared. */
export function plainWords(text: string): readonly string[] {
  const known = knownPlain.get(text)
  if (known !== undefined) return known
  const plain = text
    .toLowerCase()
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
  const words = plain === '' ? [] : plain.split(' ')
  if (knownPlain.size >= PLAIN_LIMIT) knownPlain.clear()
  knownPlain.set(text, words)
  return words
}

/** The same words as plainWords finds, index by index, as they were written. */
export function originalWords(text: string): string[] {
  return text
    .normalize('NFC')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
}

export interface Clause {
  text: string
  isQuestion: boolean
}

/** The parts between commas and stops, without them. */
export function clausesOf(text: string): Clause[] {
  const clauses: Clause[] = []
  for (const [, body, end] of text.matchAll(/([^.,;:!?¿¡…]+)([.,;:!?¡…]*)/g)) {
    if (body!.trim() !== '') clauses.push({ text: body!.trim(), isQuestion: end!.includes('?') })
  }
  return clauses
}

/** Words that mean the same to the matching; the values are made up. */
const SAME: Record<string, string> = {
  cuesta: 'precio',
  costo: 'precio',
  costos: 'precio',
  cobran: 'precio',
  cobra: 'precio',
  tarifa: 'precio',
  gratis: 'precio',
  gratuita: 'precio',
  gratuito: 'precio',
  pagar: 'precio',
  cost: 'price',
  costs: 'price',
  charge: 'price',
  free: 'price',
  pay: 'price',
  fee: 'price',
  hora: 'horario',
  horas: 'horario',
  abrimos: 'horario',
  cerramos: 'horario',
  atendemos: 'horario',
  abren: 'horario',
  cierran: 'horario',
  abierto: 'horario',
  horarios: 'horario',
  atienden: 'horario',
  open: 'hours',
  close: 'hours',
  closed: 'hours',
  opening: 'hours',
  direccion: 'ubicado',
  ubicados: 'ubicado',
  ubicacion: 'ubicado',
  estan: 'ubicado',
  estamos: 'ubicado',
  avenida: 'ubicado',
  calle: 'ubicado',
  address: 'located',
  street: 'located',
  location: 'located',
}

/** The part of a word that carries its meaning: endings of number, gender and person fall away. */
export function stem(word: string): string {
  const same = SAME[word]
  if (same !== undefined) return same
  if (word.length <= 4) return word
  return word
    .replace(/(?:mente|ando|iendo|ciones|cion|ing|ed|es|as|os|an|en|s|a|o|e)$/, '')
    .slice(0, 8)
}

export function stems(text: string): string[] {
  return plainWords(text).map(stem)
}

/** Words whose trigrams are kept; the examples' few hundred are always asked for. */
const TRIGRAM_LIMIT = 5_000
const knownTrigrams = new Map<string, Set<string>>()

function trigrams(word: string): Set<string> {
  const known = knownTrigrams.get(word)
  if (known !== undefined) return known
  const padded = `  ${word} `
  const found = new Set<string>()
  for (let at = 0; at + 3 <= padded.length; at += 1) found.add(padded.slice(at, at + 3))
  if (knownTrigrams.size >= TRIGRAM_LIMIT) knownTrigrams.clear()
  knownTrigrams.set(word, found)
  return found
}

/** 1 for the same stem; the share of common trigrams when that is over one half; else 0. */
export function wordLikeness(a: string, b: string): number {
  if (a === b) return 1
  // Short words differ in meaning by one letter ("si", "no", "uno").
  if (a.length < 4 || b.length < 4) return 0
  // Too different in length to share half of their trigrams.
  if (a.length > 3 * b.length || b.length > 3 * a.length) return 0
  const ofA = trigrams(a)
  const ofB = trigrams(b)
  let shared = 0
  for (const trigram of ofA) if (ofB.has(trigram)) shared += 1
  const likeness = (2 * shared) / (ofA.size + ofB.size)
  return likeness > 0.5 ? likeness : 0
}

/** Weight of each stem: rare ones tell more. */
export class StemWeights {
  readonly #counts = new Map<string, number>()
  readonly #texts: number

  constructor(texts: readonly string[]) {
    this.#texts = texts.length
    for (const text of texts) {
      for (const word of new Set(stems(text))) {
        this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1)
      }
    }
  }

  of(word: string): number {
    return Math.log(1 + this.#texts / (1 + (this.#counts.get(word) ?? 0)))
  }

  /** Share of `words`' weight that is found in `among`, 0…1. */
  coverage(words: readonly string[], among: readonly string[]): number {
    let total = 0
    let found = 0
    for (const word of words) {
      const weight = this.of(word)
      total += weight
      found += weight * among.reduce((best, other) => Math.max(best, wordLikeness(word, other)), 0)
    }
    return total === 0 ? 0 : found / total
  }
}
