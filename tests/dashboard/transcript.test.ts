import { describe, expect, test } from 'vitest'
import { parseServerMessage } from '../../dashboard/src/call/media-socket.ts'
import { applyEvent, splitHeard } from '../../dashboard/src/call/transcript.ts'
import type { Line } from '../../dashboard/src/call/transcript.ts'
import type { ConversationEvent, Turn } from '../../server/conversation/conversation-events.ts'

function turn(changes: Partial<Turn>): Turn {
  return {
    turnId: 1,
    role: 'agent',
    textSpoken: 'Hola, soy Andrea. ¿Me escucha bien?',
    textHeard: 'Hola, soy Andrea. ¿Me escucha bien?',
    truncated: false,
    kind: 'reply',
    startMs: 0,
    endMs: 2_000,
    latency: null,
    ...changes,
  }
}

const after = (events: ConversationEvent[]) =>
  events.reduce<Line[]>((lines, event) => applyEvent(lines, event), [])

describe('transcript', () => {
  test('replaces a turn that begins to play by its finished form, in its place', () => {
    const lines = after([
      { kind: 'turn', turn: turn({ textSpoken: 'Hola' }), final: false },
      { kind: 'bargeIn', atMs: 900, reason: 'words', onsetMs: 700 },
      { kind: 'turn', turn: turn({}), final: true },
    ])
    expect(lines.map(({ kind }) => kind)).toEqual(['turn', 'note'])
    expect(lines[1]).toMatchObject({ event: { kind: 'bargeIn', reason: 'words' } })
    expect(lines[0]).toMatchObject({ final: true, turn: { textSpoken: turn({}).textSpoken } })
  })

  test('keeps two notes of the same kind apart', () => {
    const ignored = { kind: 'ignored', atMs: 1, text: 'mhm', reason: 'backchannel' } as const
    const keys = after([ignored, ignored]).map(({ key }) => key)
    expect(new Set(keys).size).toBe(2)
  })

  test('makes no line of states and partials', () => {
    const lines = after([
      { kind: 'state', state: 'thinking', atMs: 1 },
      { kind: 'partial', text: 'sí', atMs: 2 },
    ])
    expect(lines).toEqual([])
  })
})

describe('heard and cut words', () => {
  test('cuts nothing of a turn that was heard to its end', () => {
    expect(splitHeard(turn({})).cut).toBe('')
  })

  test('cuts after the last heard word, with or without an ellipsis', () => {
    for (const textHeard of ['Hola, soy…', 'Hola, soy', 'Hola,  soy ...', 'Hola soy']) {
      expect(splitHeard(turn({ truncated: true, textHeard }))).toEqual({
        heard: 'Hola, soy',
        cut: 'Andrea. ¿Me escucha bien?',
      })
    }
  })

  test('cuts everything of a turn of which nothing was heard', () => {
    const parts = splitHeard(turn({ truncated: true, textHeard: '' }))
    expect(parts).toEqual({ heard: '', cut: turn({}).textSpoken })
  })

  test('shows the heard text alone when it is not the beginning of the spoken one', () => {
    const parts = splitHeard(turn({ truncated: true, textHeard: 'Buenas tardes' }))
    expect(parts).toEqual({ heard: 'Buenas tardes', cut: '' })
  })
})

describe('server messages', () => {
  test('reads JSON with a type and refuses anything else without throwing', () => {
    expect(parseServerMessage('{"type":"clear"}')).toEqual({ type: 'clear' })
    for (const data of ['{"type"', '[]', 'null', '"x"', '{}', 7, undefined]) {
      expect(parseServerMessage(data)).toBeNull()
    }
  })
})
