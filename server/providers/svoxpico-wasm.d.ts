/** Types of the untyped package @echogarden/svoxpico-wasm: an Emscripten factory. */
declare module '@echogarden/svoxpico-wasm' {
  export interface PicoModule {
    HEAPU8: Uint8Array
    FS: { writeFile(path: string, data: Uint8Array): void; unlink(path: string): void }
    _malloc(bytes: number): number
    _free(address: number): void
    _pico_initialize(memory: number, bytes: number, outSystem: number): number
    _pico_loadResource(system: number, path: number, outResource: number): number
    _pico_getResourceName(system: number, resource: number, outName: number): number
    _pico_createVoiceDefinition(system: number, name: number): number
    _pico_addResourceToVoiceDefinition(system: number, voice: number, resource: number): number
    _pico_newEngine(system: number, voice: number, outEngine: number): number
    _pico_resetEngine(engine: number, mode: number): number
    _pico_putTextUtf8(engine: number, text: number, bytes: number, outBytes: number): number
    _pico_getData(
      engine: number,
      buffer: number,
      bytes: number,
      outBytes: number,
      outType: number,
    ): number
  }
  export default function SvoxPico(options: {
    print(line: string): void
    printErr(line: string): void
  }): Promise<PicoModule>
}
