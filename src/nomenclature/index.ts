/**
 * The French code systems as data, with constant-time look-ups: code systems (OID ↔ FHIR URI), the value sets of the
 * DMP, type → class, the habilitation matrix, the functional-rights matrices. The data files say where they come from;
 * data/compile.ts makes them from the published lists.
 */
export { footnotes, functionalRight, type Right, type RightsColumn, type RightsMode } from './functional-rights.ts'
export {
  effectiveProfession,
  type HabilitationColumn,
  habilitation,
  isOccupational,
  professionSystems,
} from './habilitation.ts'
export { fromFhirSystem, schemeOf, toFhirSystem } from './systems.ts'
export { classOfType, codeOf, displayOf, isDmpType, type ValueSet, type ValueSetName, valueSet } from './value-sets.ts'
