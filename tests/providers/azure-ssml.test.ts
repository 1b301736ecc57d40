/** Whatever a profile and a model write: well-formed SSML that says exactly the text, in the voice and language wanted. */
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../bench/rig/seeded-random.ts'
import { AZURE_VOICES, azureVoiceName, ssmlFor } from '../../server/providers/azure-ssml.ts'
import type { Voice } from '../../server/providers/tts.ts'

const VOICE: Voice = { name: 'es-MX-DaliaNeural', language: 'es-MX', style: null, speed: 1 }

interface Element {
  name: string
  attributes: Record<string, string>
}

/** A strict reader of the XML that we write: every element closed in order, every attribute quoted, no bare sign. */
function read(xml: string): { elements: Element[]; text: string } {
  const elements: Element[] = []
  const open: string[] = []
  let text = ''
  let at = 0
  const unescape = (raw: string): string => {
    expect(raw.replace(/&(amp|lt|gt|quot|apos);/g, '')).not.toMatch(/[&<>]/)
    const signs: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
    return raw.replace(/&(\w+);/g, (_, name: string) => signs[name]!)
  }
  while (at < xml.length) {
    const tag = xml.indexOf('<', at)
    text += unescape(xml.slice(at, tag < 0 ? xml.length : tag))
    if (tag < 0) break
    const end = xml.indexOf('>', tag)
    const inner = xml.slice(tag + 1, end)
    at = end + 1
    if (inner.startsWith('/')) {
      expect(open.pop()).toBe(inner.slice(1))
      continue
    }
    const parsed = /^([\w:-]+)((?: [\w:]+="[^"<>]*")*)(\/?)$/.exec(inner)
    expect(parsed, inner).not.toBeNull()
    const [, name, list, isEmpty] = parsed!
    const pairs = [...list!.matchAll(/ ([\w:]+)="([^"]*)"/g)]
    elements.push({
      name: name!,
      attributes: Object.fromEntries(pairs.map(([, key, value]) => [key!, unescape(value!)])),
    })
    if (isEmpty === '') open.push(name!)
  }
  expect(open).toEqual([])
  return { elements, text }
}

/** Control characters, halves of pairs and noncharacters: what XML 1.0 does not know. */
const unknown = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu
const PIECES = [
  ...['<', '>', '&', '"', "'", '</voice>', '<break time="9s"/>', ']]>', '<![CDATA[', '&amp;'],
  ...['&#x41;', '<!--', '-->', '<?xml', '\u0000', '\u001b', '\ud800', '\udfff', '\ufffe', '😀'],
  ...['ñ', ' ', '\n', 'es-MX', 'Neural', '"><audio src="http://x"/>', 'hola', '%', '{{x}}'],
]

function hostile(random: () => number): string {
  const count = 1 + Math.floor(random() * 8)
  return Array.from({ length: count }, () => PIECES[Math.floor(random() * PIECES.length)]!).join('')
}

describe('ssml of hostile settings and text', () => {
  it('is well formed, says the text and nothing else, and keeps every number in range, 1 000 times', () => {
    const random = seededRandom(7)
    const number = (): number =>
      [Number.NaN, Infinity, -1e9, 1e9, 0, random() * 4][Math.floor(random() * 6)]!
    for (let round = 0; round < 1_000; round++) {
      const text = hostile(random)
      const xml = ssmlFor(text, {
        name: hostile(random),
        language: hostile(random),
        style: random() < 0.2 ? null : hostile(random),
        speed: number(),
        styleDegree: number(),
        pitch: number(),
        volume: number(),
      })
      const { elements, text: spoken } = read(xml)
      expect(spoken).toBe(text.replace(unknown, ' '))
      for (const { name, attributes } of elements) {
        expect([
          'speak',
          'voice',
          'mstts:silence',
          'lang',
          'mstts:express-as',
          'prosody',
        ]).toContain(name)
        if (name === 'voice')
          expect(AZURE_VOICES.map((one) => one.name)).toContain(attributes['name'])
        const { rate = '0%', pitch = '0%', volume = '0%', styledegree = '1' } = attributes
        expect(Math.abs(parseFloat(rate))).toBeLessThanOrEqual(100)
        for (const change of [pitch, volume])
          expect(Math.abs(parseFloat(change))).toBeLessThanOrEqual(50)
        expect(Number(styledegree)).toBeGreaterThanOrEqual(0.01)
        expect(Number(styledegree)).toBeLessThanOrEqual(2)
      }
    }
  })
})

describe('voice and language in ssml', () => {
  it.each([
    'es-MX-DaliaNeural',
    'wuu-CN-XiaotongNeural',
    'fil-PH-BlessicaNeural',
    'iu-Latn-CA-SiqiniqNeural',
    'zh-CN-shandong-YunxiangNeural',
    'en-US-Ava:DragonHDLatestNeural',
    'en-US-NovaMultilingualNeuralHD',
  ])('keep the id %s as it was typed in', (name) => {
    expect(azureVoiceName({ ...VOICE, name })).toBe(name)
  })

  it('write the profile’s language, and the voice’s own where that is no language tag', () => {
    const languageOf = (voice: Partial<Voice>) =>
      read(ssmlFor('hola', { ...VOICE, ...voice })).elements[0]!.attributes['xml:lang']
    expect(languageOf({ language: 'es-US' })).toBe('es-US')
    expect(languageOf({ name: 'wuu-CN-XiaotongNeural', language: '"><x' })).toBe('wuu-CN')
  })

  it('tell a multilingual voice which language to speak, around everything else', () => {
    const voice = { ...VOICE, name: 'en-US-AvaMultilingualNeural', style: 'chat', speed: 1.1 }
    expect(ssmlFor('hola', voice)).toContain(
      '<lang xml:lang="es-MX"><mstts:express-as style="chat"><prosody rate="+10%">hola' +
        '</prosody></mstts:express-as></lang>',
    )
    expect(ssmlFor('hi', { ...voice, language: 'en-US' })).not.toContain('<lang')
    expect(ssmlFor('hola', { ...VOICE, language: 'en-US' })).not.toContain('<lang')
  })

  it('take a multilingual voice for a language that no bundled voice has', () => {
    const french = { ...VOICE, name: '', language: 'fr-FR' }
    expect(azureVoiceName(french)).toBe('en-US-AvaMultilingualNeural')
    expect(ssmlFor('bonjour', french)).toContain('<lang xml:lang="fr-FR">bonjour</lang>')
  })
})
