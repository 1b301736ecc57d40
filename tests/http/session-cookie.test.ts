import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadSessionSecret } from '../../server/http/session-cookie.ts'
import { openTempDir } from '../support/postgres.ts'

describe('session secret', () => {
  it('is made once per data directory, 32 bytes, readable by the owner only', async () => {
    const dataDir = join(openTempDir('andrea-secret-'), 'new')
    const [first, second] = await Promise.all([
      loadSessionSecret(dataDir),
      loadSessionSecret(dataDir),
    ])
    expect(first.length).toBe(32)
    expect(Buffer.from(second).equals(first)).toBe(true)
    expect(statSync(join(dataDir, 'session.key')).mode & 0o777).toBe(0o600)
    expect(Buffer.from(await loadSessionSecret(openTempDir('andrea-secret-'))).equals(first)).toBe(
      false,
    )
  })

  it('refuses a file that was cut short, and says to delete it', async () => {
    const dataDir = openTempDir('andrea-secret-')
    writeFileSync(join(dataDir, 'session.key'), 'short')
    await expect(loadSessionSecret(dataDir)).rejects.toMatchObject({
      code: 'SESSION_SECRET_UNUSABLE',
      message: expect.stringContaining('delete it'),
    })
  })
})
