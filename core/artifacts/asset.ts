// Assets and rails. Two assets are the same when their canonical JSON is (INTEROP §4), so an asset is kept as that text.

import { canonicalText } from '../json/canonical.ts';
import { numberText } from '../json/numbers.ts';
import { isArray, isObject, type JsonObject, type JsonValue, member } from '../json/value.ts';
import { integerMember, invalid, textMember } from './members.ts';

/** The settlement rails MPCP 1.x knows. */
export const RAILS = Object.freeze(['xrpl', 'evm', 'stripe', 'hosted'] as const);
export type Rail = (typeof RAILS)[number];

/** The canonical text of XRP without further members. */
const XRP_TEXT = '{"kind":"XRP"}';
/**
 * What an IOU and an ERC20 have. Their texts are put together here: a configured asset may lie in flash, and XS does not write
 * objects there as JSON.
 */
const MEMBERS = 3;

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
    case 'IOU': {
      const currency = textMember(value.currency, 'currency');
      const issuer = textMember(value.issuer, 'issuer');
      if (Object.keys(value).length > MEMBERS) return canonicalText(value);
      return `{"currency":${JSON.stringify(currency)},"issuer":${JSON.stringify(issuer)},"kind":"IOU"}`;
    }
    case 'ERC20': {
      const chainId = integerMember(value.chainId, 'chainId', 0, Number.MAX_SAFE_INTEGER);
      const token = textMember(value.token, 'token');
      if (Object.keys(value).length > MEMBERS) return canonicalText(value);
      return `{"chainId":${numberText(chainId)},"kind":"ERC20","token":${JSON.stringify(token)}}`;
    }
    default:
      throw invalid(`${what} has a kind that is not XRP, IOU or ERC20`);
  }
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
