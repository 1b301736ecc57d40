/** Opens the beds: the audio core's memory on one side, the database on the other. */
import type { UploadedBeds } from '../../dsp/uploaded-beds.ts'
import type { Log } from '../log.ts'
import { agentsWithBed, bedPcm, deleteBed, insertBed, listBeds } from '../store/beds.ts'
import type { Database } from '../store/database.ts'
import { BedLibrary } from './bed-library.ts'

/** Loads what was uploaded before; what no longer fits is reported, and its calls are without. */
export async function openBeds(shelf: UploadedBeds, db: Database, log: Log): Promise<BedLibrary> {
  const library = new BedLibrary(shelf, {
    all: () => listBeds(db),
    pcm: (name) => bedPcm(db, name),
    insert: (bed) => insertBed(db, bed),
    delete: (name) => deleteBed(db, name),
    usedBy: (name) => agentsWithBed(db, name),
  })
  const left = await library.load()
  if (left.length > 0) log.warn({ beds: left }, 'beds do not fit: raise BED_MEMORY_MB')
  return library
}
