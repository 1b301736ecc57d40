/**
 * Price list: the prices in force, in memory for every call that ends, and in PostgreSQL for the next start. A call's cost
 * is computed once, with the prices at its end, and stored: nothing here changes it afterwards.
 */
import { priceChanges, pricesInForce, type Prices, type PriceSheet } from './prices.ts'
import type { Database } from './store/database.ts'
import { insertPrices, newestPrices, type PriceVersion } from './store/prices.ts'

export class PriceList {
  readonly #db: Database
  readonly #defaults: Prices
  #saved: PriceVersion | null
  #current: Prices

  constructor(db: Database, defaults: Prices, saved: PriceVersion | null) {
    this.#db = db
    this.#defaults = defaults
    this.#saved = saved
    this.#current = pricesInForce(defaults, saved?.changes ?? {})
  }

  /** @throws StoreError when the database is away */
  static async open(db: Database, defaults: Prices): Promise<PriceList> {
    return new PriceList(db, defaults, await newestPrices(db))
  }

  /** The prices now. */
  get current(): Prices {
    return this.#current
  }

  get sheet(): PriceSheet {
    return {
      prices: this.#current,
      defaults: this.#defaults,
      version: this.#saved?.version ?? 0,
      author: this.#saved?.author ?? null,
      updatedAt: this.#saved?.createdAt ?? null,
    }
  }

  /**
   * In force for every call that ends from now on.
   *
   * @throws StoreError STORE_VERSION_CONFLICT somebody saved since `baseVersion`
   */
  async save(wanted: Prices, by: { baseVersion: number; author: string }): Promise<PriceSheet> {
    return await this.#adopt({ changes: priceChanges(wanted, this.#defaults), ...by })
  }

  /** Back to the defaults, whatever was saved before. */
  async reset(author: string): Promise<PriceSheet> {
    return await this.#adopt({ changes: {}, baseVersion: null, author })
  }

  async #adopt(save: Parameters<typeof insertPrices>[1]): Promise<PriceSheet> {
    const saved = await insertPrices(this.#db, save)
    // Two saves may return in the other order than they were made.
    if (saved.version > (this.#saved?.version ?? 0)) {
      this.#saved = saved
      this.#current = pricesInForce(this.#defaults, saved.changes)
    }
    return this.sheet
  }
}
