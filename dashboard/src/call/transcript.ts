/**
 * The transcript of a call as lines to show, from conversation events. Pure.
 *
 * An agent turn that was cut by a barge-in is shown in two parts: what the line played and what nobody heard.
 */
import type { ConversationEvent, Turn } from '../api/types.ts'

export type NoteKind = 'bargeIn' | 'ignored' | 'tool' | 'providerError' | 'providerSwitch'
export type NoteEvent = Extract<ConversationEvent, { kind: NoteKind }>

export type Line =
  | { kind: 'turn'; key: string; turn: Turn; final: boolean }
  | { kind: 'note'; key: string; event: NoteEvent }

/** Older lines give way; two hours of talk stay below this. */
const MAX_LINES = 2_000

/** The lines after one more event. A turn that is already there is replaced in its place. */
export function applyEvent(lines: readonly Line[], event: ConversationEvent): Line[] {
  if (event.kind === 'turn') return upsertTurn(lines, event.turn, event.final)
  if (event.kind === 'state' || event.kind === 'partial') return [...lines]
  const line: Line = {
    kind: 'note',
    key: `note-${event.kind}-${event.atMs}-${lines.length}`,
    event,
  }
  return [...lines, line].slice(-MAX_LINES)
}

function upsertTurn(lines: readonly Line[], turn: Turn, final: boolean): Line[] {
  const line: Line = { kind: 'turn', key: turnKey(turn), turn, final }
  const at = lines.findIndex((other) => other.key === line.key)
  if (at < 0) return [...lines, line].slice(-MAX_LINES)
  return lines.with(at, line)
}

function turnKey(turn: Turn): string {
  return `turn-${turn.turnId}-${turn.role}`
}

/**
 * Splits a cut turn at the last word that was heard. The heard text may end in "…", may differ in spacing, and is
 * matched word by word; when it does not match it is shown as it is, with nothing cut.
 */
export function splitHeard(turn: Turn): { heard: string; cut: string } {
  if (!turn.truncated) return { heard: turn.textSpoken, cut: '' }
  const heardWords = wordsOf(turn.textHeard.replace(/(…|\.\.\.)\s*$/, ''))
  const spoken = [...turn.textSpoken.matchAll(/\S+/g)]
  if (heardWords.length > spoken.length) return { heard: turn.textHeard, cut: '' }
  const matches = heardWords.every((word, i) => bare(spoken[i]?.[0] ?? '') === bare(word))
  if (!matches) return { heard: turn.textHeard, cut: '' }
  const from = spoken[heardWords.length]?.index ?? turn.textSpoken.length
  return { heard: turn.textSpoken.slice(0, from).trimEnd(), cut: turn.textSpoken.slice(from) }
}

function wordsOf(text: string): string[] {
  return text.match(/\S+/g) ?? []
}

/** A word without its punctuation: the cut may have removed a comma. */
function bare(word: string): string {
  return word.replace(/[^\p{L}\p{N}]/gu, '').toLocaleLowerCase()
}
