import { describe, expect, it } from 'vitest'
import { createLog, formatLine, SecretMask } from '../server/log.ts'

function logged(write: (log: ReturnType<typeof createLog>) => void, secrets: string[] = []) {
  const lines: string[] = []
  const log = createLog({
    level: 'debug',
    text: false,
    mask: new SecretMask(secrets),
    write: (line) => lines.push(line),
  })
  write(log)
  return lines.join('')
}

describe('log', () => {
  it('masks known secrets in messages, errors, nested fields and child bindings', () => {
    const secret = 'pa"ss-word/+1'
    const text = logged(
      (log) => {
        const child = log.child({ origin: secret })
        child.info({ a: { b: [secret] }, url: encodeURIComponent(secret) }, `with ${secret}`)
        child.error({ err: new Error(`bad ${secret}`) })
      },
      [secret],
    )
    expect(text).not.toContain('ss-word')
    expect(text.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(6)
  })

  it('masks a known secret in base64, as it travels in a header', () => {
    const base64 = Buffer.from('pass-word/+1').toString('base64')
    expect(logged((log) => log.info(`sent ${base64}`), ['pass-word/+1'])).toContain('sent ***')
  })

  it('masks fields whose name says secret, at any depth, and leaves numbers alone', () => {
    const text = logged((log) =>
      log.info({
        apiKey: 'one-secret',
        headers: { 'x-api-key': 'two-secret', cookie: ['three-secret', 'four'] },
        deep: { er: { still: { authToken: 'five-"secret' } } },
        promptTokens: 12,
        keyboard: 'es',
      }),
    )
    expect(text).not.toContain('secret')
    expect(JSON.parse(text)).toMatchObject({ promptTokens: 12, keyboard: 'es', apiKey: '***' })
  })

  it('masks the shapes in which secrets travel', () => {
    const text = logged((log) => {
      log.info('GET /x?token=secret-1&a=1 Authorization: Bearer secret-2abcdef')
      log.info('postgres://andrea:secret-3@db:5432/andrea andrea_session=secret-4.x; Path=/')
    })
    expect(text).not.toContain('secret')
    expect(text).toContain('a=1')
    expect(text).toContain('@db:5432')
  })

  it('writes one readable line with fields, and the stack of an error below', () => {
    const line = JSON.stringify({
      level: 'info',
      time: Date.UTC(2026, 10, 24, 17, 3, 2, 120),
      msg: 'call answered',
      callId: 'c1',
      note: 'two words',
    })
    expect(formatLine(line)).toBe('17:03:02.120 info  call answered callId=c1 note="two words"\n')
    const failed = JSON.stringify({ level: 'error', time: 0, msg: 'x', err: { stack: 'Error: y' } })
    expect(formatLine(failed)).toBe('00:00:00.000 error x\nError: y\n')
  })
})
