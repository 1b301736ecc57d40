/**
 * Call HTTP tool: asks a user's own service for the model, and answers with text for it. All I/O of HTTP tools is here.
 *
 *   arguments ─► query or JSON body ─► https to a public address ─► status, body ≤ 64 KB ─► text ≤ 4 000 characters
 *
 * A host that HTTP_TOOLS_HOSTS names may be private and may speak plain http; every other must be public after its name was
 * resolved. Redirects are not followed: one could lead inside. What changes something carries the same Idempotency-Key each
 * time it is asked for with the same arguments in a call: an answer that was cut off is asked for again by the model.
 */
import { createHash } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { publicLookup, refusePrivateHost, RefusedAddress } from '../aftercall/public-lookup.ts'
import { errorText } from '../errors.ts'
import { checkedArguments, type HttpTool } from './http-tool.ts'
import type { SecretBox } from '../secret-box.ts'
import { openedTool, withoutSecrets } from './tool-secrets.ts'

export interface HttpToolDeps {
  /** Hosts (`name` or `name:port`) that may be private and without TLS. */
  allowedHosts: readonly string[]
  /** Opens the tool's header values; without it they are taken as they are. */
  secrets?: Pick<SecretBox, 'open'>
  /** Waits before the second, third … attempt, ms. */
  retryMs?: readonly number[]
}

export interface HttpToolCall {
  callId: string
  tool: HttpTool
  /** JSON text, as the model wrote it. */
  args: string
  /** Gives up; the result is of no use then. */
  signal: AbortSignal
}

const RETRY_MS = [200, 500, 1_000]
const BODY_MAX_BYTES = 65_536
/** About 1 000 tokens. */
const RESULT_MAX_CHARACTERS = 4_000
const FAILURE_MAX_CHARACTERS = 500

/** @returns what the service said, or `error: …` for the model. Never throws. */
export async function callHttpTool(call: HttpToolCall, deps: HttpToolDeps): Promise<string> {
  const { signal } = call
  const { args, problem } = checkedArguments(call.tool, call.args)
  if (problem !== null) return `error: ${problem}`
  let tool: HttpTool
  try {
    tool = deps.secrets ? openedTool(call.tool, deps.secrets) : call.tool
  } catch (error) {
    return `error: ${errorText(error)}`
  }
  const waits = deps.retryMs ?? RETRY_MS
  for (let attempt = 0; ; attempt++) {
    const outcome = await attemptCall({ ...call, tool, checked: args }, deps)
    if (outcome.isFinal || attempt >= tool.retries) return withoutSecrets(outcome.text, tool)
    const waitMs = waits[Math.min(attempt, waits.length - 1)] ?? 0
    if (!(await waited(waitMs, signal))) return 'error: given up'
  }
}

interface Outcome {
  text: string
  isFinal: boolean
}

async function attemptCall(
  call: HttpToolCall & { checked: Record<string, unknown> },
  deps: HttpToolDeps,
): Promise<Outcome> {
  try {
    const { status, body } = await send(call, deps)
    if (status >= 200 && status < 300) {
      return { text: cut(body || 'ok', RESULT_MAX_CHARACTERS), isFinal: true }
    }
    const text = `error: the service answered ${status} ${cut(body, FAILURE_MAX_CHARACTERS)}`
    const isFinal = status < 500 && status !== 408 && status !== 429
    return { text: text.trim(), isFinal }
  } catch (error) {
    const isFinal = error instanceof RefusedAddress || call.signal.aborted
    return { text: `error: ${errorText(error)}`, isFinal }
  }
}

function send(
  { tool, callId, checked, signal }: HttpToolCall & { checked: Record<string, unknown> },
  deps: HttpToolDeps,
): Promise<{ status: number; body: string }> {
  const url = new URL(tool.url)
  const isAllowed = deps.allowedHosts.some((host) => host === url.host || host === url.hostname)
  if (!isAllowed) {
    if (url.protocol !== 'https:') throw new RefusedAddress('tools use https only')
    refusePrivateHost(url)
  }
  const inQuery = tool.method === 'GET' || tool.method === 'DELETE'
  if (inQuery) {
    for (const [name, value] of Object.entries(checked)) {
      url.searchParams.append(name, typeof value === 'string' ? value : JSON.stringify(value))
    }
  }
  const body = inQuery ? '' : JSON.stringify(checked)
  const timeOut = AbortSignal.timeout(tool.timeoutMs)
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void =>
      reject(timeOut.aborted ? new Error(`no answer in ${tool.timeoutMs} ms`) : error)
    const outgoing = request(
      url,
      {
        method: tool.method,
        // A connection of its own: a kept one would skip the look-up.
        agent: false,
        signal: AbortSignal.any([signal, timeOut]),
        lookup: isAllowed ? undefined : publicLookup,
        headers: {
          accept: 'application/json, text/plain',
          ...(inQuery ? {} : { 'content-type': 'application/json' }),
          ...(tool.method === 'GET' ? {} : { 'idempotency-key': keyOf(callId, tool, checked) }),
          ...Object.fromEntries(
            Object.entries(tool.headers).map(([name, value]) => [name.toLowerCase(), value]),
          ),
          ...(inQuery ? {} : { 'content-length': Buffer.byteLength(body) }),
        },
      },
      (answer) => void read(answer).then(resolve, failed),
    )
    outgoing.once('error', failed)
    outgoing.end(body)
  })
}

/** The first BODY_MAX_BYTES; what is behind them is not waited for. */
async function read(answer: IncomingMessage): Promise<{ status: number; body: string }> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= BODY_MAX_BYTES) break
  }
  const body = Buffer.concat(chunks).subarray(0, BODY_MAX_BYTES).toString('utf8').trim()
  return { status: answer.statusCode ?? 0, body }
}

function keyOf(callId: string, tool: HttpTool, args: Record<string, unknown>): string {
  const hash = createHash('sha256').update(JSON.stringify([callId, tool.name, args]))
  return hash.digest('hex').slice(0, 32)
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}… (cut)`
}

/** False when it was cut short. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal })
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
