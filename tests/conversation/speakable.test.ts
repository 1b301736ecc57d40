import { describe, expect, it } from 'vitest'
import { speakable } from '../../server/conversation/speakable.ts'

describe('speakable', () => {
  it.each([
    ['**Importante**: el *lunes* a las `9`', 'Importante: el lunes a las 9'],
    ['## Opciones', 'Opciones'],
    ['- Por la mañana', 'Por la mañana'],
    ['Vea [nuestra página](https://x.mx/a_b)', 'Vea nuestra página'],
    ['¡Perfecto! 😊👍🏽 🇲🇽', '¡Perfecto!'],
    ['juan_perez@correo.com es _correcto_.', 'juan_perez@correo.com es correcto.'],
    ['Cuesta $1,500.50 (más IVA), 50% menos', 'Cuesta $1,500.50 (más IVA), 50% menos'],
    ['😊 …', ''],
    ['***', ''],
  ])('%s → %s', (written, spoken) => {
    expect(speakable(written)).toBe(spoken)
  })
})
