/** Words that name a line of business, a profession or the people who work there; misspelled ones count, too. */
import { plainWords, wordLikeness } from './text-likeness.ts'

const LINES_OF_BUSINESS = plainWords(
  `restaurante taqueria fonda cafeteria cafe bar cantina tienda tiendita abarrotes miscelanea papeleria ferreteria
  farmacia panaderia pasteleria tortilleria carniceria polleria fruteria zapateria boutique salon estetica barberia
  peluqueria spa gimnasio taller refaccionaria llantera constructora construccion inmobiliaria despacho consultorio
  clinica veterinaria laboratorio hospital escuela colegio guarderia academia agencia hotel imprenta fabrica
  maquiladora distribuidora comercializadora lavanderia tintoreria floreria muebleria joyeria optica transportes
  transporte fletes rancho granja purificadora gasolinera consultora consultoria software tecnologia seguros zapatos
  ropa comida tacos muebles publicidad marketing eventos banquetes limpieza seguridad logistica carpinteria herreria
  dulceria cremeria pescaderia estudio bufete notaria
  restaurant bakery shop store coffee pub pharmacy gym garage workshop agency factory firm school construction
  landscaping cleaning barbershop farm consultancy consulting startup deli pizzeria hardware grocery studio ranch
  brewery warehouse laundry clinic bookstore trucking plumbing catering`,
)
const PROFESSION =
  /^(?:medic[oa]|doctora?|dentista|abogad[oa]|contadora?|arquitect[oa]|ingenier[oa]|mecanic[oa]|plomer[oa]|carpinter[oa]|herrer[oa]|electricista|consultora?|disenadora?|fotograf[oa]|programadora?|comerciante|transportista|estilista|freelancer?|dentist|lawyer|accountant|architect|engineer|mechanic|plumber|carpenter|electrician|consultant|designer|photographer|contractor|developer|\p{L}+olog[oa])$/u
/** They say that there is a business, not which one. */
const GENERIC = new Set(
  plainWords('negocio empresa compania local pyme changarro comercio business company negosio'),
)
const MUST_BE_ALIKE = 0.6

/** @param word plain (see plainWords) */
export function isBusinessWord(word: string): boolean {
  if (LINES_OF_BUSINESS.includes(word) || PROFESSION.test(word)) return true
  // "Restaurantes", "restauran": one letter more or less, or misheard.
  return word.length >= 6 && LINES_OF_BUSINESS.some((known) => isNearly(word, known))
}

function isNearly(word: string, known: string): boolean {
  return word.slice(0, 2) === known.slice(0, 2) && wordLikeness(word, known) >= MUST_BE_ALIKE
}

export function isProfession(word: string): boolean {
  return PROFESSION.test(word)
}

export function isGenericBusiness(word: string): boolean {
  return GENERIC.has(word)
}

const STAFF =
  /^(?:emplead|enplead|implead|personas?$|trabajador|colaborador|muchach|chav[oa]s|gentes?$|meser[oa]s|ayudante|obrer[oa]s|cociner[oa]s|vendedor|operari[oa]s|employee|people|person$|workers?$|staff|guys|members)/

/** Whether the word means people who work for a business. */
export function isStaffWord(word: string): boolean {
  return STAFF.test(word) || wordLikeness(word, 'empleados') > 0.55
}
