import fs from 'node:fs'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { linkLibraries } from '../../server/store/postgres-binaries.ts'
import { openTempDir } from '../support/postgres.ts'

const dir = openTempDir('andrea-links-')
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }))

describe('library links', () => {
  it('are made relative where npm left them out, a dangling one is mended, a second run changes nothing', () => {
    const lib = path.join(dir, 'native', 'lib')
    fs.mkdirSync(lib, { recursive: true })
    fs.writeFileSync(path.join(lib, 'libpq.so.5.18'), 'library')
    fs.symlinkSync('gone', path.join(lib, 'libpq.so'))
    const links = ['libpq.so', 'libpq.so.5'].map((name) => ({
      source: 'native/lib/libpq.so.5.18',
      target: `native/lib/${name}`,
    }))
    fs.writeFileSync(path.join(dir, 'native', 'pg-symlinks.json'), JSON.stringify(links))
    for (let run = 0; run < 2; run++) {
      expect(linkLibraries(dir)).toBe(true)
      expect(fs.readlinkSync(path.join(lib, 'libpq.so'))).toBe('libpq.so.5.18')
      expect(fs.readFileSync(path.join(lib, 'libpq.so.5'), 'utf8')).toBe('library')
    }
  })
})
