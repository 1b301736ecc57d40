/** The invariants of docs/architecture.md, checked on the source text itself. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const ROOMS = ['server', 'workers', 'dsp', 'dashboard', 'migrations', 'bench', 'tests']
const SKIPPED = new Set(['node_modules', 'dist', 'build', 'results', 'public'])

function sources(room: string, folder = join(ROOT, room)): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return SKIPPED.has(name) ? [] : sources(room, path)
    return /\.(ts|svelte)$/.test(name) && !name.endsWith('.d.ts') ? [relative(ROOT, path)] : []
  })
}

const all = ROOMS.flatMap((room) => sources(room))
const text = new Map(all.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]))
const product = all.filter((file) => /^(server|workers|dsp)\//.test(file))

/** Relative imports of a file as paths from the root; type-only imports are left out unless asked for. */
function imports(file: string, options: { types: boolean }): string[] {
  const found: string[] = []
  for (const match of text
    .get(file)!
    .matchAll(/^(?:import|export)\s+(type\s+)?[^'"]*?from\s+'(\.[^']+)'/gms)) {
    if (match[1] && !options.types) continue
    found.push(relative(ROOT, resolve(ROOT, dirname(file), match[2]!)))
  }
  return found
}

function offenders(files: string[], pattern: RegExp): string[] {
  return files.filter((file) => pattern.test(text.get(file)!))
}

describe('architecture', () => {
  it('keeps SQL in store/ and migrations/ only', () => {
    const outside = product.filter((file) => !file.startsWith('server/store/'))
    expect(offenders(outside, /\bsql\.(type|unsafe|fragment)|from 'slonik'|from 'pg'/)).toEqual([])
  })

  it('reads the environment in config.ts and in entry points only', () => {
    const entry = ['server/config.ts', 'server/main.ts', 'server/store/migrate.ts', 'dsp/build.ts']
    expect(
      offenders(
        product.filter((file) => !entry.includes(file)),
        /process\.env\b/,
      ),
    ).toEqual([])
  })

  it('keeps the wall clock and all I/O out of conversation/ and call-state', () => {
    const pure = product.filter(
      (file) => file.startsWith('server/conversation/') || file === 'server/call/call-state.ts',
    )
    const impure =
      /Date\.now|new Date\(|performance\.now|setTimeout|setInterval|from 'node:(fs|net|http|timers)/
    expect(offenders(pure, impure)).toEqual([])
  })

  it('lets only main.ts and call wiring see carrier and provider implementations', () => {
    const interfaces = /^server\/(carriers\/(carrier|twiml)|providers\/(stt|llm|tts|select))\.ts$/
    const free = ['server/main.ts', 'server/call/answer.ts']
    const wrong = product
      .filter((file) => !free.includes(file) && !/^server\/(carriers|providers)\//.test(file))
      .flatMap((file) =>
        imports(file, { types: false })
          .filter((to) => /^server\/(carriers|providers)\//.test(to) && !interfaces.test(to))
          .map((to) => `${file} → ${to}`),
      )
    expect(wrong).toEqual([])
  })

  it('points imports one way: http → call → conversation, media → workers → dsp', () => {
    const forbidden: [from: RegExp, to: RegExp][] = [
      [/^dsp\//, /^(server\/(?!errors|media\/audio-format)|workers)/],
      [/^workers\//, /^server\/(?!errors|media\/audio-format)/],
      [/^server\/media\//, /^server\/(call|conversation|http|store|providers)\//],
      [/^server\/conversation\//, /^server\/(call\/(?!call-state)|http|store|carriers)/],
      [/^server\/(carriers|providers)\//, /^server\/(call|conversation|http|store)\//],
      [/^server\/call\//, /^server\/http\//],
      [/^server\/store\//, /^server\/(http|providers|media)\//],
    ]
    const wrong = product.flatMap((file) =>
      imports(file, { types: false }).flatMap((to) =>
        forbidden.some(([from, target]) => from.test(file) && target.test(to))
          ? [`${file} → ${to}`]
          : [],
      ),
    )
    expect(wrong).toEqual([])
  })

  it('knows carrier JSON only in carriers/', () => {
    const outside = product.filter((file) => !file.startsWith('server/carriers/'))
    expect(offenders(outside, /streamSid|customParameters|mediaFormat/)).toEqual([])
  })

  it('has no file called util, helper, common, misc, manager, service, handler, processor or base', () => {
    const banned =
      /(^|\/)(utils?|helpers?|common|misc|manager|service|handler|processor|base)\.(ts|svelte)$/
    expect(all.filter((file) => banned.test(file))).toEqual([])
  })

  it('has no file over 400 lines, tables and weights excepted', () => {
    const long = all.filter(
      (file) => !/weights|messages|tables/.test(file) && text.get(file)!.split('\n').length > 401,
    )
    expect(long).toEqual([])
  })

  it('has no empty catch', () => {
    expect(
      offenders(
        all.filter((file) => !file.startsWith('tests/')),
        /catch *(\([^)]*\))? *\{\s*\}/,
      ),
    ).toEqual([])
  })
})
