/**
 * Rate limits, counted in memory per minute. They protect against guessing and runaway scripts, not against floods: those
 * belong to the proxy in front.
 *
 * Failed sign-ins and wrong keys count per address, everything else per key, so that one office behind one address can work.
 */
import type { ParameterizedContext } from 'koa'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { RequestError } from '../errors.ts'

export interface Limits {
  loginPerMinute: number
  /** Requests with a wrong API key, per address. */
  wrongKeyPerMinute: number
  apiPerMinute: number
  /** 300 calls in one burst, each with a few callbacks, come from few addresses. */
  webhookPerMinute: number
}

export const DEFAULT_LIMITS: Limits = {
  loginPerMinute: 5,
  wrongKeyPerMinute: 20,
  apiPerMinute: 600,
  webhookPerMinute: 6_000,
}

export type LimitName = 'login' | 'wrongKey' | 'api' | 'webhook'

export class RateLimits {
  readonly #limiters: Record<LimitName, RateLimiterMemory>

  constructor(limits: Limits = DEFAULT_LIMITS) {
    const perMinute = (points: number) => new RateLimiterMemory({ points, duration: 60 })
    this.#limiters = {
      login: perMinute(limits.loginPerMinute),
      wrongKey: perMinute(limits.wrongKeyPerMinute),
      api: perMinute(limits.apiPerMinute),
      webhook: perMinute(limits.webhookPerMinute),
    }
  }

  /** Counts one. @throws RequestError 429 RATE_LIMITED, with Retry-After set, when the minute's share is used up */
  async count(name: LimitName, key: string, ctx: ParameterizedContext): Promise<void> {
    const limiter = this.#limiters[name]
    try {
      const state = await limiter.consume(key)
      ctx.set('RateLimit-Limit', String(limiter.points))
      ctx.set('RateLimit-Remaining', String(state.remainingPoints))
    } catch (state) {
      if (!(state instanceof RateLimiterRes)) throw state
      this.#refuse(state, ctx)
    }
  }

  /** Refuses without counting, when the share is already used up. */
  async check(name: LimitName, key: string, ctx: ParameterizedContext): Promise<void> {
    const state = await this.#limiters[name].get(key)
    if (state !== null && state.consumedPoints > this.#limiters[name].points) {
      this.#refuse(state, ctx)
    }
  }

  /** Takes one count back: the attempt was legitimate. */
  async forgive(name: LimitName, key: string): Promise<void> {
    await this.#limiters[name].reward(key)
  }

  #refuse(state: RateLimiterRes, ctx: ParameterizedContext): never {
    const seconds = Math.max(1, Math.ceil(state.msBeforeNext / 1_000))
    ctx.set('Retry-After', String(seconds))
    throw new RequestError(429, 'RATE_LIMITED', 'Too many requests.', {
      hint: `Wait ${seconds} s and try again.`,
    })
  }
}

/** What stands for a client's address: IPv6 is counted by /64, which is what one customer gets. */
export function addressKey(ip: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  if (v4?.[1] !== undefined) return v4[1]
  if (!ip.includes(':')) return ip
  const [head = '', tail] = ip.split('::')
  const left = head.split(':').filter((group) => group !== '')
  const right = (tail ?? '').split(':').filter((group) => group !== '')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right].slice(0, 4).join(':')
}
