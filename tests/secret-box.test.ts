import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSecretBox, SecretBox } from '../server/secret-box.ts'
import { openTempDir } from './support/postgres.ts'

const box = new SecretBox(new Uint8Array(32).fill(1))

describe('a sealed secret', () => {
  it('does not show its text, differs each time and opens to the same', () => {
    const [one, two] = [box.seal('Bearer ñandú'), box.seal('Bearer ñandú')]
    expect(one).toMatch(/^sealed:1:[A-Za-z0-9+/=]+$/)
    expect(one).not.toBe(two)
    expect([box.open(one), box.open(two)]).toEqual(['Bearer ñandú', 'Bearer ñandú'])
  })

  it('is refused with another key, with one bit changed, and cut short', () => {
    const sealed = box.seal('secret')
    const bytes = Buffer.from(sealed.slice(9), 'base64')
    bytes[13]! ^= 1
    const unreadable = { code: 'SECRET_UNREADABLE' }
    const other = new SecretBox(new Uint8Array(32).fill(2))
    expect(() => other.open(sealed)).toThrow(expect.objectContaining(unreadable))
    expect(() => box.open(`sealed:1:${bytes.toString('base64')}`)).toThrow(
      expect.objectContaining(unreadable),
    )
    expect(() => box.open('sealed:1:AAAA')).toThrow(expect.objectContaining(unreadable))
  })

  it('of an older version is plain text and opens as it is', () => {
    expect(box.open('Bearer abc')).toBe('Bearer abc')
  })
})

describe('the key', () => {
  it('is made once in the data directory, for its owner only, and opens what it sealed before', async () => {
    const dataDir = openTempDir('andrea-secrets-')
    const sealed = (await openSecretBox({ dataDir, secretsKey: null })).seal('secret')
    const path = join(dataDir, 'secrets.key')
    expect([statSync(path).mode & 0o777, readFileSync(path).length]).toEqual([0o600, 32])
    expect((await openSecretBox({ dataDir, secretsKey: null })).open(sealed)).toBe('secret')
  })

  it('comes from SECRETS_KEY when that is set', async () => {
    const secretsKey = Buffer.alloc(32, 1).toString('base64')
    const fromEnv = await openSecretBox({ dataDir: '/nowhere', secretsKey })
    expect(fromEnv.open(box.seal('secret'))).toBe('secret')
  })
})
