/**
 * Growing sentence: how much of a sentence that the model is still writing can be spoken already.
 *
 *   "El costo es de $1,2"   →  "El costo es "       money may go on, and is written as it is read when it is over
 *   "Con **mucho"           →  "Con "               markup is taken out when its other half is there
 *   "Con mucho gusto le ex" →  "Con mucho gusto le "
 *
 * Whole words only, and of those only what `speakable` and `readable` will never change, whatever follows. A cut lies between a
 * word of letters and the first letter of the next word; numbers belong to the word behind them, which may be their unit;
 * from the first character on that could be markup nothing more is given out until the sentence is there.
 *
 * Invariant: every prefix is a prefix of the next one and, but for its last space, of the finished sentence. Pure.
 */
import { readable } from './readable.ts'
import { speakable } from './speakable.ts'

/** Beyond that the sentence is waited for: it may still be cut at any comma behind 120 characters (sentences.ts). */
const PREFIX_CHARS_MAX = 120

/** Letters, and the marks that stand in and around words. The voice reads them as they are. */
const PLAIN = /^[\p{L}\p{M}'’",;:.!?…¿¡«»“”—–-]+$/u
/** Digits and what numbers, prices, dates and times are made of. */
const NUMERIC = /^[\p{L}\p{M}\d'’",;:.!?…¿¡«»“”—–\-$%+/]+$/u
const BEGINS_WORD = /^["«“¿¡]*\p{L}/u

/**
 * The beginning of the unfinished sentence `open` that is safe to be spoken now, as it is to be read aloud, with the space
 * behind its last word; '' when there is none yet.
 */
export function safePrefix(open: string, language: string): string {
  let end = 0
  let wasWord = false
  for (const { 0: token, index } of open.matchAll(/\S+/g)) {
    if (index > PREFIX_CHARS_MAX) break
    if (wasWord && BEGINS_WORD.test(token)) end = index
    if (!NUMERIC.test(token)) break
    // Never behind a number: the next word may be its unit. Behind that word both are over.
    wasWord = PLAIN.test(token) && /\p{L}/u.test(token)
  }
  const prefix = readable(speakable(open.slice(0, end)), language)
  return prefix === '' ? '' : `${prefix} `
}
