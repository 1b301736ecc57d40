/**
 * HTTP tool: what an agent's settings say about a service of the user's own that the model may call. Shape only, pure.
 * Header values are where keys belong: they are stored, sealed (secret-box.ts), and no answer of the API and no log shows them (tool-secrets.ts).
 */
import { z } from 'zod'
import { isSealed } from '../secret-box.ts'

export const HTTP_TOOLS_MAX = 20
const VALUE_MAX = 2_000
/** What 2 000 characters become. */
const SEALED_MAX = 2_720

/** Names of our own tools; a user's tool must not take their place. */
export const OWN_TOOLS = ['end_call', 'transfer_call', 'send_dtmf', 'switch_language'] as const

const jsonSchema = z
  .looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.unknown()) })
  .refine((schema) => checkerOf(schema) !== null, 'a JSON Schema that can be checked')

export const httpTool = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,63}$/, 'small letters, digits and _, e.g. find_appointment')
    .refine((name) => !OWN_TOOLS.some((own) => own === name), 'another name: this one is taken'),
  /** For the model: what the tool does and when to use it. */
  description: z.string().min(1).max(1_000),
  /** JSON Schema of the arguments: an object. */
  parameters: jsonSchema,
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  /** GET and DELETE get the arguments in the query, the others as a JSON body. */
  url: z.url({ protocol: /^https?$/ }).max(500),
  headers: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9-]{1,64}$/, 'a header name')
        .refine((name) => !/^(host|connection|content-length|transfer-encoding)$/i.test(name)),
      z
        .string()
        .regex(/^[\x20-\x7e]*$/, 'printable ASCII')
        .refine((value) => value.length <= (isSealed(value) ? SEALED_MAX : VALUE_MAX), {
          error: `at most ${VALUE_MAX} characters`,
        }),
    )
    .refine((headers) => Object.keys(headers).length <= 20, 'at most 20 headers'),
  /** Of one attempt. */
  timeoutMs: z.int().min(100).max(30_000),
  /** Further attempts after a broken connection, a time-out, 408, 429 or 5xx. */
  retries: z.int().min(0).max(3),
})
export type HttpTool = z.infer<typeof httpTool>

export const httpTools = z
  .array(httpTool)
  .max(HTTP_TOOLS_MAX)
  .refine((tools) => new Set(tools.map(({ name }) => name)).size === tools.length, 'a name twice')

/** Why `args` (JSON text of the model) do not fit the tool's schema; null with the arguments when they do. */
export function checkedArguments(
  tool: Pick<HttpTool, 'parameters'>,
  args: string,
): { args: Record<string, unknown>; problem: null } | { args: null; problem: string } {
  const wrong = (problem: string) => ({ args: null, problem })
  try {
    const given = z.record(z.string(), z.unknown()).parse(JSON.parse(args.trim() || '{}'))
    const found = checkerOf(tool.parameters)?.safeParse(given)
    if (found?.success) return { args: given, problem: null }
    const issue = found?.error.issues[0]
    return wrong(`arguments: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'do not fit'}`)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      return wrong('arguments: not a JSON object')
    throw error
  }
}

/** Null for a schema that says what cannot be checked, such as a reference to elsewhere. */
function checkerOf(schema: Record<string, unknown>): z.ZodType | null {
  try {
    return z.fromJSONSchema(schema)
  } catch {
    // Whatever it throws, it throws because of what the schema says.
    return null
  }
}
