/**
 * Greeting: how a call begins. A legal notice comes first and cannot be interrupted: whoever needs one needs it heard to
 * its end. Then the profile's mode: a fixed text, one by the model, or silence until the user speaks.
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { Floor } from './floor.ts'
import { fillVariables, greetingInstruction } from './prompt.ts'

type GreetingSettings = Pick<
  ProfileSettings,
  'firstMessage' | 'firstMessageMode' | 'language' | 'legalNotice'
>

export function greet(
  floor: Floor,
  settings: GreetingSettings,
  variables: Readonly<Record<string, string>>,
): void {
  const notice = fillVariables(settings.legalNotice, variables).trim()
  if (notice === '') return firstMessage(floor, settings, variables)
  const next = (): void => firstMessage(floor, settings, variables)
  floor.begin('greeting', { interruptible: false }).speak(notice, { kind: 'goOn', next })
}

function firstMessage(
  floor: Floor,
  settings: GreetingSettings,
  variables: Readonly<Record<string, string>>,
): void {
  const { firstMessageMode, language } = settings
  const text = fillVariables(settings.firstMessage, variables).trim()
  if (firstMessageMode === 'speak-first-dynamic') {
    floor.begin('greeting').answer(greetingInstruction(language))
  } else if (firstMessageMode === 'speak-first' && text !== '') {
    floor.begin('greeting').speak(text)
  }
}
