/**
 * Number rows: the numbers of many lines side by side in a few arrays, instead of in fields of their objects.
 *
 *   block  |— row 0 —|— row 1 —| … |— row 255 —|      a line holds one row from its first frame to its last
 *
 * A fraction in a field is an object of its own to the JavaScript engine, and an array of its own three; among a thousand lines each
 * of them lies in far memory when its frame comes, 100 ns away. A row is one place, and its block's array is everybody's.
 *
 * Invariant: a row belongs to one owner until it is given back, and is zero when it is taken.
 */
const ROWS = 256

export interface NumberRow {
  readonly values: Float64Array
  /** Index of the row's first number in `values`. */
  readonly at: number
}

export class NumberRows {
  /** A row for those that have given theirs back: what they still read and write there means nothing to anybody. */
  readonly spent: NumberRow
  readonly #width: number
  readonly #free: NumberRow[] = []

  /** `width`: numbers in a row. */
  constructor(width: number) {
    this.#width = width
    this.spent = { values: new Float64Array(width), at: 0 }
  }

  take(): NumberRow {
    if (this.#free.length === 0) {
      const values = new Float64Array(ROWS * this.#width)
      // The first row is the first to be taken.
      for (let row = ROWS - 1; row >= 0; row--) this.#free.push({ values, at: row * this.#width })
    }
    const row = this.#free.pop()!
    row.values.fill(0, row.at, row.at + this.#width)
    return row
  }

  /** The owner uses `spent` from here on; giving that back is nothing. */
  give(row: NumberRow): void {
    if (row !== this.spent) this.#free.push(row)
  }
}

/** An object whose numbers lie in a row. */
export abstract class RowHolder {
  readonly #rows: NumberRows
  #row: NumberRow
  /** Its numbers are `v[at]` and those behind it. */
  protected v: Float64Array
  protected at: number

  constructor(rows: NumberRows) {
    this.#rows = rows
    this.#row = rows.take()
    this.v = this.#row.values
    this.at = this.#row.at
  }

  protected get row(): NumberRow {
    return this.#row
  }

  /** The line is over: its memory is another's, and what is still asked means nothing. Idempotent. */
  release(): void {
    this.#rows.give(this.#row)
    this.#row = this.#rows.spent
    this.v = this.#row.values
    this.at = this.#row.at
  }
}
