import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { fire } from '../../bench/rig/cannon-process.ts'

const SLOW_MS = 300

describe('cannon', () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path === '/health') return void response.end()
    asked.push(path)
    // Every fourth is slow.
    setTimeout(() => response.end(), Number(path.slice(1)) % 4 === 3 ? SLOW_MS : 0)
  })

  afterEach(() => {
    server.close()
    server.closeAllConnections()
  })

  it('asks each of 12 requests once at 6 a second over 2 connections, and counts each answer once', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const requests = Array.from({ length: 12 }, (_, i) => ({
      method: 'GET' as const,
      path: `/${i}`,
    }))

    const shot = await fire({
      ...{ url: `http://127.0.0.1:${port}`, seconds: 2, connections: 2, perSec: 6, requests },
    })

    // Behind the twelfth a connection may begin another round before its time is up.
    expect(new Set(asked.slice(0, 12)).size).toBe(12)
    expect(shot.wrong).toBe(0)
    expect(shot.answers).toBeGreaterThanOrEqual(12)
    expect(shot.answers).toBeLessThanOrEqual(asked.length)
    // A quarter of the answers is slow: it is the worst, and not the middle.
    expect(shot.p50Ms).toBeLessThan(SLOW_MS / 2)
    expect(shot.maxMs).toBeGreaterThanOrEqual(SLOW_MS - 1)
  }, 30_000)
})
