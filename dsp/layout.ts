/** Layout: the constants that the DSP core exports, so that the host never repeats a number. */
import { DspError } from '../server/errors.ts'

/** The layout constants exported by assembly/index.ts, by name. */
export type Layout = Readonly<Record<string, number>>

/** One constant of the layout. Throws DspError DSP_LAYOUT when the module does not export it. */
export function constant(layout: Layout, name: string): number {
  const value = layout[name]
  if (value === undefined) throw new DspError('DSP_LAYOUT', `dsp.wasm does not export ${name}`)
  return value
}

/** The constants among the exports of an instance. */
export function layoutOf(exports: WebAssembly.Exports): Layout {
  const layout: Record<string, number> = {}
  for (const [name, value] of Object.entries(exports)) {
    if (value instanceof WebAssembly.Global) layout[name] = value.value as number
  }
  return layout
}

/** What the core calls where it cannot go on. Throws DspError DSP_ABORT. */
export function abort(): never {
  throw new DspError('DSP_ABORT', 'the DSP core aborted')
}
