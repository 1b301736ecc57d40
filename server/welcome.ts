import type { Config } from './config.ts'

/** The lines a new user looks for, as plain text: the one place that prints a key, once. */
export function welcome(config: Config, port: number, newKey: string | null): void {
  const url = config.publicUrl ?? `http://${config.host}:${port}`
  const key = newKey
    ? `  Admin key  ${newKey}   (shown only now: keep it)`
    : '  Admin key  as configured, or as shown at the first start'
  process.stdout.write(`\n  Andrea is listening.\n\n  Dashboard  ${url}/dashboard\n${key}\n\n`)
}
