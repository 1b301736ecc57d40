/**
 * Word places: where in a text the words stand that a voice reports one after the other. The service's own index counts in the
 * markup, or is absent while the text is being written; this one walks along the text, which may grow meanwhile.
 */

/** A word that is not found within so many characters is spelled otherwise by the voice ("doctor" for "Dr."): it has no place. */
const SEEK_CHARS = 60

export class WordPlaces {
  #from = 0

  /** Index of the next `word` in `text`, which begins with every text before it; -1 when it is not to be found there. */
  next(word: string, text: string): number {
    const at = text.indexOf(word, this.#from)
    if (word === '' || at < 0 || at - this.#from > SEEK_CHARS) return -1
    this.#from = at + word.length
    return at
  }
}
