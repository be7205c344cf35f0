// Assets and rails. Two assets are the same when their canonical JSON is (INTEROP §4), so an asset is kept as that text.

import { canonicalText } from '../json/canonical.ts';
import { isArray, isObject, type JsonObject, type JsonValue, member } from '../json/value.ts';
import { integerMember, invalid, textMember } from './members.ts';

/** The settlement rails MPCP 1.x knows. */
export const RAILS = Object.freeze(['xrpl', 'evm', 'stripe', 'hosted'] as const);
export type Rail = (typeof RAILS)[number];

/** The canonical text of XRP without further members. */
const XRP_TEXT = '{"kind":"XRP"}';
/** In the order of canonical JSON. */
const IOU_MEMBERS = ['currency', 'issuer', 'kind'];
const ERC20_MEMBERS = ['chainId', 'kind', 'token'];

/** True for a rail MPCP 1.x knows. */
export function isRail(text: unknown): text is Rail {
  return text === 'xrpl' || text === 'evm' || text === 'stripe' || text === 'hosted';
}

/** The `allowedRails` of an artifact. It must be there; an empty list allows no rail (INTEROP §4). */
export function railsMember(object: JsonObject): readonly Rail[] {
  const value = member(object, 'allowedRails');
  if (!isArray(value)) throw invalid('allowedRails is missing or not a list');
  for (let i = 0; i < value.length; i++) {
    const rail = value[i];
    if (!isRail(rail)) throw invalid(`allowedRails holds ${show(rail)}, which is no rail of MPCP 1`);
  }
  return value as readonly Rail[];
}

/** A rail member that must be there. */
export function railMember(object: JsonObject): Rail {
  const rail = member(object, 'rail');
  if (!isRail(rail)) throw invalid(rail === undefined ? 'rail is missing' : `rail ${show(rail)} is no rail of MPCP 1`);
  return rail;
}

/**
 * Checks an asset's shape (kinds XRP, IOU, ERC20) and gives its canonical text.
 *
 * @param what how a problem names it
 */
export function assetText(value: JsonValue, what: string): string {
  if (!isObject(value)) throw invalid(`${what} is not an object`);
  switch (member(value, 'kind')) {
    case 'XRP':
      return Object.keys(value).length === 1 ? XRP_TEXT : canonicalText(value);
    case 'IOU':
      textMember(value.currency, 'currency');
      textMember(value.issuer, 'issuer');
      return textOf(value, IOU_MEMBERS);
    case 'ERC20':
      integerMember(value.chainId, 'chainId', 0, Number.MAX_SAFE_INTEGER);
      textMember(value.token, 'token');
      return textOf(value, ERC20_MEMBERS);
    default:
      throw invalid(`${what} has a kind that is not XRP, IOU or ERC20`);
  }
}

/** The text of an asset that has these members, three scalars; nearly always there are no others. */
function textOf(asset: JsonObject, members: string[]): string {
  return Object.keys(asset).length === 3 ? JSON.stringify(asset, members) : canonicalText(asset);
}

/** The `allowedAssets` of an artifact as canonical texts; absent reads as empty, which restricts nothing. */
export function assetsMember(object: JsonObject): readonly string[] {
  const value = member(object, 'allowedAssets');
  if (value === undefined) return [];
  if (!isArray(value)) throw invalid('allowedAssets is not a list');
  const texts: string[] = [];
  for (let i = 0; i < value.length; i++) texts.push(assetText(value[i], `allowedAssets[${i}]`));
  return texts;
}

/** An `asset` member as canonical text, or undefined. */
export function optionalAsset(object: JsonObject): string | undefined {
  const value = member(object, 'asset');
  return value === undefined ? undefined : assetText(value, 'asset');
}

function show(value: JsonValue | undefined): string {
  return typeof value === 'string' ? `"${value.slice(0, 40)}"` : typeof value;
}
