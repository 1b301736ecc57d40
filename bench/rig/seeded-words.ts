/** Words for emulated providers that nobody scripted: the same seed says the same. */
import type { HeardUtterance } from './azure-listener.ts'

const SPANISH = (
  'sí quiero información sobre los beneficios para mi negocio vendemos ropa y calzado tenemos doce ' +
  'empleados facturamos cada mes me interesa la llamada el martes por la tarde mi nombre es Laura'
).split(' ')
const ENGLISH = (
  'yes I would like to know more about the benefits for my shop we sell shoes and have twelve ' +
  'people please call me on Tuesday afternoon my name is Laura'
).split(' ')
const WORD_MS = 280

export class SeededWords {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  /** As many words as fit the duration; a longer one begins with the words of a shorter one. */
  textOf({ index, language, durationMs }: Omit<HeardUtterance, 'connection' | 'hz'>): string {
    const count = Math.max(1, Math.round(durationMs / WORD_MS))
    return this.words(index, count, language).join(' ')
  }

  words(index: number, count: number, language: string): string[] {
    const list = language.startsWith('en') ? ENGLISH : SPANISH
    const from = (this.#seed * 7 + index * 5) % list.length
    return Array.from({ length: count }, (_, word) => list[(from + word) % list.length]!)
  }
}
