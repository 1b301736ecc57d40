/**
 * The server's life as an operator sees it: second instances, busy ports, Ctrl-C, a crash. Real
 * processes, real PostgreSQL.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { freePort, ServerProcess, type ServerOptions } from '../../bench/rig/server-process.ts'
import { TwilioCall } from '../../bench/rig/twilio-caller.ts'

describe('lifecycle', () => {
  let dataDir: string
  let started: ServerProcess[]

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'andrea-life-'))
    await chmod(dataDir, 0o755)
    started = []
  })
  afterEach(async () => {
    for (const server of started) {
      server.signal('SIGKILL')
      await server.exited
    }
    await rm(dataDir, { recursive: true, force: true })
  })

  async function start(options: ServerOptions = {}): Promise<ServerProcess> {
    const server = await ServerProcess.start({ dataDir, ...options })
    started.push(server)
    return server
  }

  it('stops on SIGINT by itself with exit code 0, and leaves no database behind', async () => {
    const server = await start()
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    // The directory is free again: the next start would be refused otherwise.
    const next = await start()
    expect(await next.stop()).toEqual({ code: 0, signal: null })
  }, 180_000)

  it('refuses a second instance on the same data directory, naming the process that holds it', async () => {
    const first = await start()
    const second = await start({ waitReady: false })
    const { code } = await second.exited
    expect(code).toBeGreaterThan(0)
    expect(second.output).toMatch(/in use|en uso/i)
    expect(second.output).toMatch(/pid\D{0,20}\d+|process\D{0,20}\d+/i)
    expect(second.output).not.toMatch(/\n\s+at .*\.ts:\d+/)
    const health = await fetch(`${first.url}/health`)
    expect(health.status).toBe(200)
  }, 180_000)

  it('says that the port is busy, and which, and ends with an error', async () => {
    const port = await freePort()
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(port, '127.0.0.1', resolve))
    try {
      const server = await start({ port, waitReady: false })
      const { code } = await server.exited
      expect(code).toBeGreaterThan(0)
      expect(server.output).toContain(String(port))
      expect(server.output).toMatch(/busy|in use|ocupado/i)
    } finally {
      await new Promise((resolve) => holder.close(resolve))
    }
  }, 180_000)

  it('starts again after kill -9 and closes the call that was going on as serverStopped', async () => {
    const crashed = await start()
    const api = new ServerApi(crashed.url, crashed.adminKey)
    const call = await TwilioCall.place({
      server: crashed.url,
      publicUrl: crashed.url,
      authToken: null,
      pacer: new Pacer(),
      record: true,
      from: '+525500000001',
      to: '+525587654321',
    })
    const { callSid } = call.identity
    while ((await api.find(callSid)) === null) await nextTurn()
    crashed.signal('SIGKILL')
    expect((await crashed.exited).signal).toBe('SIGKILL')
    expect((await call.ended).by).not.toBe('user')

    const again = await start()
    const page = await new ServerApi(again.url, again.adminKey).finished(callSid)
    expect(page.call.endReason).toBe('serverStopped')
    expect(await again.stop()).toEqual({ code: 0, signal: null })
  }, 180_000)

  it('ends a live call on SIGINT as serverStopped, and its stream is closed by the server', async () => {
    const server = await start()
    const call = await TwilioCall.place({
      server: server.url,
      publicUrl: server.url,
      authToken: null,
      pacer: new Pacer(),
      record: true,
      from: '+525500000001',
      to: '+525587654321',
    })
    const api = new ServerApi(server.url, server.adminKey)
    while ((await api.find(call.identity.callSid)) === null) await nextTurn()
    server.signal('SIGINT')
    expect((await call.ended).by).toBe('server')
    expect(await server.exited).toEqual({ code: 0, signal: null })

    const again = await start()
    const page = await new ServerApi(again.url, again.adminKey).finished(call.identity.callSid)
    expect(page.call.endReason).toBe('serverStopped')
  }, 180_000)
})

/** The journal writes behind; there is no event to wait for from outside the server. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 100))
}
