/**
 * What reading a FHIR resource needs: where the violations go, how a reference is followed, and the extensions.
 * The resource has passed the structural check of the door: elements are of the type FHIR says.
 */
import type { Extension, Reference, Resource } from '@medplum/fhirtypes'
import type { ErrorCode, Issue } from '../../errors.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import { ext } from './terms.ts'

export interface ReadOptions {
  /** FHIRPath of the resource in the message (`Bundle.entry[1].resource`), for the locations; default its type. */
  readonly path?: string
  readonly profile: 'ci-sis' | 'ihe'
  /** A resource of the message or of a server by its reference; `#id` never comes here. UnContained option of MHD. */
  readonly resolve?: (reference: string) => Resource | undefined
  /** The patient behind `Patient/{id}`, an absolute URL or a conditional reference that carries no identifier. */
  readonly resolvePatient?: (reference: string) => PatientKey | undefined
}

/** Collects every violation of a message; nothing is thrown until all is read. */
export class Problems {
  readonly issues: Issue[] = []

  error(location: string, detail: string, more: { readonly rule?: string; readonly code?: ErrorCode } = {}): undefined {
    const { rule, code = 'profile-violation' } = more
    this.issues.push({ code, severity: 'error', ...(rule !== undefined && { rule }), location, detail })
  }

  /** Something was understood but has no place in the metadata: said, never silent. */
  lost(location: string, detail: string): undefined {
    this.issues.push({ code: 'XDSExtraMetadataNotSaved', severity: 'warning', location, detail })
  }

  warn(location: string, detail: string): undefined {
    this.issues.push({ code: 'profile-violation', severity: 'warning', location, detail })
  }

  get failed(): boolean {
    return this.issues.some(({ severity }) => severity === 'error')
  }
}

export interface Found {
  readonly resource: Resource
  readonly location: string
}

/** One resource being read. */
export class Reading {
  readonly problems: Problems
  readonly path: string
  readonly options: ReadOptions
  readonly #contained = new Map<string, Found>()

  constructor(resource: Resource, options: ReadOptions) {
    this.problems = new Problems()
    this.path = options.path ?? resource.resourceType
    this.options = options
    const contained = 'contained' in resource ? (resource.contained ?? []) : []
    for (const [index, each] of contained.entries()) {
      const location = `${this.path}.contained[${index}]`
      if ('modifierExtension' in each) this.#refuseModifiers(location)
      if (each.id !== undefined) this.#contained.set(each.id, { resource: each, location })
    }
  }

  /** The resource a reference leads to; `location` is where the reference stands. */
  follow(reference: Reference | undefined, location: string): Found | undefined {
    const text = reference?.reference
    if (text === undefined) return undefined
    if (text.startsWith('#')) return this.#contained.get(text.slice(1))
    const resource = this.options.resolve?.(text)
    return resource && { resource, location: `${location}.resolve()` }
  }

  /**
   * FHIR R4 extensibility.html#isModifier: what changes the meaning and is not understood must not be accepted.
   * `known` are the extensions the caller reads; any other is reported as not kept.
   */
  extensions(
    element: { readonly extension?: readonly Extension[]; readonly modifierExtension?: readonly Extension[] },
    location: string,
    known: readonly string[],
  ): void {
    if (element.modifierExtension !== undefined) this.#refuseModifiers(location)
    for (const [index, { url }] of (element.extension ?? []).entries())
      if (!known.includes(url) && url !== ext.hl7v2)
        this.problems.lost(`${location}.extension[${index}]`, 'This extension has no place in the metadata.')
  }

  #refuseModifiers(location: string): void {
    this.problems.error(`${location}.modifierExtension`, 'Leave modifierExtension out: none is understood here.')
  }

  /** Elements with a meaning that the metadata model has no attribute for. */
  unmapped(element: object, location: string, names: Readonly<Record<string, string>>): void {
    for (const [name, why] of Object.entries(names)) if (name in element) this.problems.lost(`${location}.${name}`, why)
  }
}

export function extensionOf(
  element: { readonly extension?: readonly Extension[] } | undefined,
  url: string,
): Extension | undefined {
  return element?.extension?.find((each) => each.url === url)
}

export function extensionsOf(
  element: { readonly extension?: readonly Extension[] } | undefined,
  url: string,
): readonly Extension[] {
  return element?.extension?.filter((each) => each.url === url) ?? []
}

/** The same object without its undefined properties. */
export function defined<T extends object>(values: { [K in keyof T]: T[K] | undefined }): T {
  const kept: Partial<T> = {}
  for (const key in values) {
    const value = values[key]
    if (value !== undefined) kept[key] = value
  }
  return kept as T
}

/** A list for FHIR, where an empty array is not allowed. */
export function some<T>(list: readonly T[]): T[] | undefined {
  return list.length === 0 ? undefined : [...list]
}
