/**
 * HL7 v2 data types as XDS metadata carries them: CX, CXi, XCN, XON, XTN, HD.
 * Each type is a plain object with the components that have a meaning in the field's profiles by name, and every other
 * component kept by number in `rest`, so that formatting a parsed value gives back the same characters (trailing empty
 * components aside, which HL7 v2 does not count). Nothing here decides whether a value is allowed: rules.ts does.
 */

/** Components without a name of ours, by component number (1-based), as received (sub-components included). */
export type Rest = Readonly<Record<number, string>>

/** Hierarchic designator: `namespaceId&universalId&universalIdType`. */
export interface Hd {
  readonly namespaceId?: string
  readonly universalId?: string
  readonly universalIdType?: string
}

/** Extended composite id: a patient identifier or a referenceIdList entry (CXi), `id^^^authority^typeCode^homeCommunity`. */
export interface Cx {
  /** CX.1 */
  readonly id: string
  /** CX.4 */
  readonly assigningAuthority?: Hd
  /** CX.5, `NH` for a French INS, a `urn:` for CXi */
  readonly typeCode?: string
  readonly rest?: Rest
}

/** Extended composite name and id number of a person or device. */
export interface Xcn {
  /** XCN.1, PS_IdNat of a French professional */
  readonly id?: string
  /** XCN.2 */
  readonly family?: string
  /** XCN.3 */
  readonly given?: string
  /** XCN.4 */
  readonly furtherGiven?: string
  /** XCN.5 */
  readonly suffix?: string
  /** XCN.6 */
  readonly prefix?: string
  /** XCN.9 */
  readonly assigningAuthority?: Hd
  /** XCN.10: D (person), U (device) */
  readonly nameType?: string
  /** XCN.13: IDNPS, EI, RI, NH */
  readonly idType?: string
  readonly rest?: Rest
}

/** Extended composite name and id of an organization. */
export interface Xon {
  /** XON.1 */
  readonly name: string
  /** XON.6 */
  readonly assigningAuthority?: Hd
  /** XON.7: IDNST, SIREN */
  readonly idType?: string
  /** XON.10: Struct_IdNat */
  readonly id?: string
  readonly rest?: Rest
}

/** Extended telecommunication number. */
export interface Xtn {
  /** XTN.2 */
  readonly use?: string
  /** XTN.3: Internet, PH, CP */
  readonly type?: string
  /** XTN.4 */
  readonly email?: string
  /** XTN.12 */
  readonly unformatted?: string
  readonly rest?: Rest
}
