import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { checkModuleText } from '../../dsp/build.ts'

describe('build', () => {
  it('accepts the module as built: no start, no growth, no mutable global, no static data', async () => {
    const text = await readFile(new URL('../../build/dsp.wat', import.meta.url), 'utf8')
    expect(() => checkModuleText(text)).not.toThrow()
  })

  it('refuses each of the four with DSP_BUILD_CHECK', () => {
    for (const text of [
      '(module (start $~start))',
      '(module (func (memory.grow (i32.const 1))))',
      '(module (global $offset (mut i32) (i32.const 0)))',
      '(module (data $0 (i32.const 1024) "x"))',
    ]) {
      expect(() => checkModuleText(text)).toThrow(
        expect.objectContaining({ code: 'DSP_BUILD_CHECK' }),
      )
    }
  })
})
