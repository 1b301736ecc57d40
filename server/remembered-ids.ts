/**
 * Remembered ids: which ids were met lately, and with each, where it is asked for, a UUID of ours.
 *
 *   id ─► 64 bits of its SHA-256 ─► newer table, until `limit` are in it ─► it becomes the older one, which is emptied
 *
 * All memory is there from the start and nothing is kept on the heap: a string in a Set costs a hundred bytes, a pair of
 * them in a Map two hundred, and each stays for hours, so that a server seemed to leak until its limits were reached.
 *
 * Invariants: the newest `limit` ids are remembered, never more than twice as many. An id that never came is taken for one
 * that did once in 10^14 times while 100 000 are remembered.
 */
import { hash } from 'node:crypto'

const UUID_BYTES = 16
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Where a UUID has its dashes. */
const UUID_PARTS = [0, 8, 12, 16, 20, 32]

export class RememberedIds {
  readonly #limit: number
  readonly #withUuids: boolean
  #newer: IdTable
  #older: IdTable

  constructor({ limit, withUuids = false }: { limit: number; withUuids?: boolean }) {
    this.#limit = limit
    this.#withUuids = withUuids
    this.#newer = new IdTable(limit, withUuids)
    this.#older = new IdTable(limit, withUuids)
  }

  /** Ids that are remembered now: `limit` to twice as many, once that many have come. */
  get size(): number {
    return this.#newer.count + this.#older.count
  }

  has(id: string): boolean {
    const key = keyOf(id)
    return this.#newer.has(key) || this.#older.has(key)
  }

  /** The UUID that the id was added with, in lower case. */
  uuidOf(id: string): string | undefined {
    const key = keyOf(id)
    return this.#newer.uuidOf(key) ?? this.#older.uuidOf(key)
  }

  /** False for an id that is remembered already; it keeps its UUID. @throws RangeError where `uuid` is to be a UUID in lower case and is none */
  add(id: string, uuid = ''): boolean {
    if (this.#withUuids && !UUID.test(uuid)) throw new RangeError('not a UUID in lower case')
    const key = keyOf(id)
    if (this.#newer.has(key) || this.#older.has(key)) return false
    if (this.#newer.count === this.#limit) this.#turn()
    this.#newer.add(key, uuid)
    return true
  }

  #turn(): void {
    const emptied = this.#older
    emptied.clear()
    this.#older = this.#newer
    this.#newer = emptied
  }
}

interface Key {
  high: number
  low: number
}

/** SHA-256: whoever chooses ids cannot choose two that meet. `high` is never 0, which marks a free place. */
function keyOf(id: string): Key {
  // In hex: a digest in a buffer of its own is memory outside of the heap, 32 bytes for each.
  const digest = hash('sha256', id, 'hex')
  const word = (at: number): number => Number.parseInt(digest.slice(at, at + 8), 16)
  return { high: word(0) || 1, low: word(8) }
}

/** Open addressing, at most half full: two or three looks find a key, or that it is not there. */
class IdTable {
  readonly #mask: number
  /** Two words for each place. */
  readonly #words: Uint32Array
  readonly #uuids: Buffer | null
  #count = 0

  constructor(limit: number, withUuids: boolean) {
    const places = 2 ** Math.ceil(Math.log2(2 * limit))
    this.#mask = places - 1
    this.#words = new Uint32Array(2 * places)
    this.#uuids = withUuids ? Buffer.alloc(places * UUID_BYTES) : null
  }

  get count(): number {
    return this.#count
  }

  has(key: Key): boolean {
    return this.#words[2 * this.#placeOf(key)] !== 0
  }

  uuidOf(key: Key): string | undefined {
    const place = this.#placeOf(key)
    if (this.#uuids === null || this.#words[2 * place] === 0) return undefined
    const hex = this.#uuids.toString('hex', place * UUID_BYTES, (place + 1) * UUID_BYTES)
    return UUID_PARTS.slice(1)
      .map((end, i) => hex.slice(UUID_PARTS[i], end))
      .join('-')
  }

  /** Of a key that is not in it, while there is room. */
  add(key: Key, uuid: string): void {
    const place = this.#placeOf(key)
    this.#words[2 * place] = key.high
    this.#words[2 * place + 1] = key.low
    this.#uuids?.write(uuid.replaceAll('-', ''), place * UUID_BYTES, 'hex')
    this.#count++
  }

  clear(): void {
    this.#words.fill(0)
    this.#count = 0
  }

  /** Where the key is, or would be. */
  #placeOf({ high, low }: Key): number {
    const words = this.#words
    let place = low & this.#mask
    while (words[2 * place] !== 0) {
      if (words[2 * place] === high && words[2 * place + 1] === low) return place
      place = (place + 1) & this.#mask
    }
    return place
  }
}
