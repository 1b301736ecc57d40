/**
 * Builds dashboard/dist when a source is newer than the last build; otherwise says nothing and returns at once, so
 * that `npm start` can always run it.
 *
 * The built index.html carries the time the build began, not the time it ended: a source saved during a build is
 * then still newer. Directories count as sources, which is how a deleted file is noticed.
 */
import { readdirSync, statSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('.', import.meta.url))
const BUILT = `${ROOT}dist/index.html`

/** Newest modification time, ms, of the files and directories below `directory`, which is counted too. */
function newestBelow(directory: string): number {
  let newest = statSync(directory).mtimeMs
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = `${directory}/${entry.name}`
    newest = Math.max(newest, entry.isDirectory() ? newestBelow(path) : statSync(path).mtimeMs)
  }
  return newest
}

function newestSource(): number {
  const files = ['index.html', 'vite.config.ts', 'build.ts']
  return Math.max(
    newestBelow(`${ROOT}src`),
    newestBelow(`${ROOT}public`),
    ...files.map((name) => statSync(ROOT + name).mtimeMs),
  )
}

const builtAt = statSync(BUILT, { throwIfNoEntry: false })?.mtimeMs ?? 0
if (newestSource() > builtAt) {
  const startedSec = Date.now() / 1000
  // Imported only now: Vite alone takes longer to load than the whole check.
  const { build } = await import('vite')
  await build({ configFile: `${ROOT}vite.config.ts`, logLevel: 'warn' })
  utimesSync(BUILT, startedSec, startedSec)
  console.log(`dashboard built in ${Math.round(Date.now() - startedSec * 1000)} ms`)
}
