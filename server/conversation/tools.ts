/** Tools: what the language model may do on the call, and the meaning of its tool calls and control tokens. Pure. */
import { z } from 'zod'
import type { ProfileSettings } from '../agent-settings.ts'
import type { ToolCall, ToolDefinition } from '../providers/llm.ts'
import type { HttpTool } from '../tools/http-tool.ts'
import type { ControlToken } from './control-tokens.ts'

export type ToolSettings = Pick<
  ProfileSettings,
  'enableEndCall' | 'enableDialKeypad' | 'transferPhoneNumber' | 'httpTools' | 'languages'
>

export type ToolAction =
  | { kind: 'endCall' }
  | { kind: 'transfer'; to: string }
  | { kind: 'digits'; digits: string }
  | { kind: 'language'; language: string }
  | { kind: 'http'; tool: HttpTool }
  /** Not possible; `reason` goes back to the model. */
  | { kind: 'refused'; reason: string }

/** What the model must hear of before the turn is over. */
export const NEEDS_ANSWER: ReadonlySet<ToolAction['kind']> = new Set([
  'digits',
  'refused',
  'http',
  'language',
])

/** The tools that the control tokens stand for. */
export const TOKEN_TOOLS = {
  endCall: 'end_call',
  transfer: 'transfer_call',
  digits: 'send_dtmf',
} as const

const digitsArguments = z.object({ digits: z.string().regex(/^[0-9*#A-D]{1,32}$/) })

const languageArguments = z.object({ language: z.string() })

const NO_ARGUMENTS = { type: 'object', properties: {}, additionalProperties: false }

/** The tools that the settings allow. */
export function toolDefinitions(settings: ToolSettings): ToolDefinition[] {
  const tools: ToolDefinition[] = []
  if (settings.enableEndCall) {
    tools.push({
      name: 'end_call',
      description: 'Ends the call after your goodbye was heard. Say goodbye in the same answer.',
      parameters: NO_ARGUMENTS,
    })
  }
  if (settings.transferPhoneNumber !== null) {
    tools.push({
      name: 'transfer_call',
      description: 'Connects the user with a person of the team.',
      parameters: NO_ARGUMENTS,
    })
  }
  if (settings.enableDialKeypad) {
    tools.push({
      name: 'send_dtmf',
      description: 'Presses keys on the phone, for example to choose an option of a menu.',
      parameters: {
        type: 'object',
        properties: { digits: { type: 'string', description: 'One or more of 0-9 * #' } },
        required: ['digits'],
        additionalProperties: false,
      },
    })
  }
  if (settings.languages.length > 1) {
    tools.push({
      name: 'switch_language',
      description: 'Changes the language of the call: your voice and what you understand.',
      parameters: {
        type: 'object',
        properties: { language: { type: 'string', enum: settings.languages } },
        required: ['language'],
        additionalProperties: false,
      },
    })
  }
  for (const { name, description, parameters } of settings.httpTools) {
    tools.push({ name, description, parameters })
  }
  return tools
}

/** What a tool call asks for; unknown tools, tools that are off and bad arguments are refused with the reason. */
export function toolAction(call: ToolCall, settings: ToolSettings): ToolAction {
  switch (call.name) {
    case 'end_call':
      return allowedAction({ kind: 'endCall' }, settings)
    case 'transfer_call':
      return allowedAction({ kind: 'transfer' }, settings)
    case 'send_dtmf': {
      const parsed = digitsArguments.safeParse(parseJson(call.arguments))
      if (!parsed.success) return { kind: 'refused', reason: 'digits must be 1 to 32 of 0-9 * #' }
      return allowedAction({ kind: 'digits', digits: parsed.data.digits }, settings)
    }
    case 'switch_language': {
      const wanted = languageArguments.safeParse(parseJson(call.arguments)).data?.language
      if (wanted !== undefined && settings.languages.includes(wanted))
        return { kind: 'language', language: wanted }
      return { kind: 'refused', reason: `language must be one of ${settings.languages.join(', ')}` }
    }
    default: {
      const tool = settings.httpTools.find(({ name }) => name === call.name)
      return tool
        ? { kind: 'http', tool }
        : { kind: 'refused', reason: `there is no tool ${call.name}` }
    }
  }
}

/** The action of a control token (or of a tool call without arguments), when the settings allow it. */
export function allowedAction(token: ControlToken, settings: ToolSettings): ToolAction {
  switch (token.kind) {
    case 'endCall':
      if (settings.enableEndCall) return token
      return { kind: 'refused', reason: 'ending the call is not allowed' }
    case 'transfer':
      if (settings.transferPhoneNumber !== null)
        return { kind: 'transfer', to: settings.transferPhoneNumber }
      return { kind: 'refused', reason: 'no transfer number is configured' }
    case 'digits':
      if (settings.enableDialKeypad) return token
      return { kind: 'refused', reason: 'the keypad is not allowed' }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // A model that writes broken JSON is refused like one that writes wrong arguments.
    return error instanceof SyntaxError ? null : error
  }
}
