import { describe, expect, it } from 'vitest'
import { agentSettings, DEFAULT_SETTINGS, type AgentSettings } from '../../server/agent-settings.ts'
import { httpTools, type HttpTool } from '../../server/tools/http-tool.ts'
import { SecretBox } from '../../server/secret-box.ts'
import {
  maskedSettings,
  openedTool,
  sealedSettings,
  withoutSecrets,
  withStoredSecrets,
} from '../../server/tools/tool-secrets.ts'

const TOOL: HttpTool = {
  ...{ name: 'find', description: 'Finds.', method: 'GET', url: 'https://example.com/a' },
  ...{ headers: { 'X-Key': 'secret-value' }, timeoutMs: 1_000, retries: 0 },
  parameters: { type: 'object', properties: {} },
}

function withTools(base: HttpTool[], twilio?: HttpTool[]): AgentSettings {
  const { profiles } = DEFAULT_SETTINGS
  return agentSettings.parse({
    base: { ...DEFAULT_SETTINGS.base, httpTools: base },
    profiles: twilio ? { ...profiles, twilio: { httpTools: twilio } } : profiles,
  })
}

describe('secrets of tools', () => {
  it('are masked in base and profiles, and come back when the mask is saved', () => {
    const stored = withTools([TOOL], [{ ...TOOL, headers: { 'X-Key': 'other-value' } }])
    const masked = maskedSettings(stored)
    expect(JSON.stringify(masked)).not.toMatch(/secret-value|other-value/)
    expect(masked.base.httpTools[0]?.headers).toEqual({ 'X-Key': '***' })
    expect(masked.profiles.browser).toEqual({})
    const saved = withStoredSecrets(masked, stored)
    expect(saved.base).toEqual(stored.base)
  })

  it('come back to another path of the same host, and not to another host or name', () => {
    const stored = withTools([TOOL])
    const masked = { ...TOOL, headers: { 'X-Key': '***' } }
    const moved = withTools([{ ...masked, url: 'https://example.com/b' }])
    expect(withStoredSecrets(moved, stored).base.httpTools[0]?.headers['X-Key']).toBe(
      'secret-value',
    )
    for (const change of [{ url: 'https://evil.example/' }, { name: 'other' }]) {
      expect(() => withStoredSecrets(withTools([{ ...masked, ...change }]), stored)).toThrow(
        'write this value again',
      )
    }
  })

  it('are sealed before they are stored, once, and opened for the call', () => {
    const box = new SecretBox(new Uint8Array(32).fill(1))
    const sealed = sealedSettings(withTools([TOOL], [TOOL]), box)
    expect(JSON.stringify(sealed)).not.toContain('secret-value')
    expect(sealedSettings(sealed, box)).toEqual(sealed)
    expect(agentSettings.safeParse(sealed).success).toBe(true)
    const [tool] = sealed.base.httpTools
    expect(tool && openedTool(tool, box)).toEqual(TOOL)
    const saved = withStoredSecrets(maskedSettings(sealed), sealed)
    expect(saved.base).toEqual(sealed.base)
  })

  it('of 2 000 characters still fit when they are sealed, 2 001 are refused', () => {
    const box = new SecretBox(new Uint8Array(32).fill(1))
    const ofLength = (length: number) => [{ ...TOOL, headers: { 'X-Key': 'k'.repeat(length) } }]
    const sealed = sealedSettings(withTools(ofLength(2_000)), box)
    expect(agentSettings.safeParse(sealed).success).toBe(true)
    expect(httpTools.safeParse(ofLength(2_001)).success).toBe(false)
  })

  it('are taken out of what the service answers, also without their scheme', () => {
    const tool = { headers: { Authorization: 'Bearer abcdef123', 'X-Version': '1' } }
    expect(withoutSecrets('1: abcdef123, Bearer abcdef123', tool)).toBe('1: ***, ***')
  })
})

describe('HTTP tool settings', () => {
  it.each([
    [{ name: 'end_call' }],
    [{ name: 'Find' }],
    [{ url: 'ftp://example.com/' }],
    [{ headers: { 'X-Key': 'a\r\nb: c' } }],
    [{ headers: { Host: 'inside' } }],
    [{ timeoutMs: 0 }],
    [{ retries: 4 }],
    [{ parameters: { type: 'array' } }],
  ])('refuse %j', (change) => {
    expect(httpTools.safeParse([{ ...TOOL, ...change }]).success).toBe(false)
  })

  it('refuse a name twice', () => {
    expect(httpTools.safeParse([TOOL, TOOL]).success).toBe(false)
  })
})
