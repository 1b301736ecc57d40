/** Makes a sentence of the model fit to be spoken: no markdown, no emoji, no stage directions in brackets. Pure. */

/** Pictures, flags, skin tones, and what glues them together (variation selector, joiner, keycap). */
const EMOJI =
  /\p{Extended_Pictographic}|[\u{1F1E6}-\u{1F1FF}]|[\u{1F3FB}-\u{1F3FF}]|\uFE0F|\u200D|\u20E3/gu

/** The sentence as a voice should get it; '' when nothing of it can be spoken. */
export function speakable(sentence: string): string {
  const text = sentence
    .replace(/```[a-z]*/gi, ' ')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/^\s*(#{1,6}|>|[-*•])\s+/gm, '')
    .replace(/(\*\*|__|~~|`|\*)/g, '')
    // _emphasis_, but not the underscore inside juan_perez@ejemplo.com.
    .replace(/(^|[\s("¿¡])_([^_]+)_(?=[\s.,;:!?)"]|$)/g, '$1$2')
    .replace(/\s*\|\s*/g, ', ')
    .replace(EMOJI, '')
    .replace(/[[\]{}<>]/g, ' ')
    .replace(/\s+/g, ' ')
    .replace(/\s+([,.;:!?…])/g, '$1')
    .trim()
  return /[\p{L}\p{N}]/u.test(text) ? text : ''
}
