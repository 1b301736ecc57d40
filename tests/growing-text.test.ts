import { describe, expect, it } from 'vitest'
import { BoundedQueue } from '../server/bounded-queue.ts'
import { GROWING_TEXT_LIMIT, GrowingText, wholeText } from '../server/growing-text.ts'

async function read(text: AsyncIterable<string>): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of text) pieces.push(piece)
  return pieces
}

describe('growing text', () => {
  it('gives each of 2 readers what was written since its last step, from the beginning', async () => {
    const text = new GrowingText()
    const early = read(text)
    text.grow('Con ')
    for (let i = 0; i < 5; i++) await Promise.resolve()
    text.grow('Con mucho ')
    text.grow('Con mucho gusto ')
    const late = read(text)
    text.finish('Con mucho gusto y más.')
    expect(await early).toEqual(['Con ', 'mucho gusto y más.'])
    expect(await late).toEqual(['Con mucho gusto ', 'y más.'])
    expect(await text.whole()).toBe('Con mucho gusto y más.')
  })

  it('refuses and counts what changes the text, and more than 2000 characters', () => {
    const before = BoundedQueue.onDropped
    const names: string[] = []
    BoundedQueue.onDropped = (name) => names.push(name)
    const text = new GrowingText()
    text.grow('Con ')
    text.grow('Sin ')
    text.grow('x'.repeat(GROWING_TEXT_LIMIT + 1))
    BoundedQueue.onDropped = before
    expect(text.text).toBe('Con ')
    expect(text.dropped).toBe(2)
    expect(names).toEqual(['growingText', 'growingText'])
  })

  it('ends as it is when the whole is only shorter by the space behind the last word', () => {
    const text = new GrowingText()
    text.grow('Con gusto ')
    text.finish('Con gusto')
    expect([text.text, text.dropped, text.ended]).toEqual(['Con gusto ', 0, true])
  })

  it('lets a reader go that waits, at once, and readers come to their end when it is given up', async () => {
    const text = new GrowingText()
    const reader = text[Symbol.asyncIterator]()
    const waiting = reader.next()
    await reader.return!()
    expect((await waiting).done).toBe(true)
    const other = read(text)
    text.abort()
    expect(await other).toEqual([])
  })

  it('is waited for until it is whole, or the signal aborts', async () => {
    const text = new GrowingText()
    const abort = new AbortController()
    const [cut, whole] = [
      wholeText(text, abort.signal),
      wholeText(text, new AbortController().signal),
    ]
    abort.abort()
    expect(await cut).toBeNull()
    text.finish('Hola.')
    expect(await whole).toBe('Hola.')
    expect(await wholeText(text, abort.signal)).toBeNull()
  })
})
