// Addresses: an XRPL classic address is told from everything else by its checksum.

import { describe, expect, it } from 'vitest';
import { evmAddressProblem, looksLikeXrplAddress, xrplAddressProblem } from '../../../tools/issue/addresses.ts';

describe('an XRPL classic address', () => {
  it.each(['rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh', 'rrrrrrrrrrrrrrrrrrrrrhoLvTp', 'rEcaauZi2SfbmDWKyPKTcvscyGJiaAqgUx'])(
    '%s is one',
    (address) => {
      expect(xrplAddressProblem(address)).toBeUndefined();
      expect(looksLikeXrplAddress(address)).toBe(true);
    },
  );

  it.each([
    ['two characters exchanged', 'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyhT', 'its checksum is wrong'],
    ['a character left out', 'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyT', 'its checksum is wrong'],
    ['a character that base58 leaves out', 'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyT0', 'base58'],
    ['an X-address', 'XVLhHMPHU98es4dbozjVtdWzVrDjtV5fdx1mHp98tDMoQXb', 'X-address'],
    ['a placeholder', 'rTrustGateway...', 'not an XRPL classic address'],
    ['an EVM address', '0x52908400098527886E0F7030069857D2E4169EE7', 'not an XRPL classic address'],
    ['blanks around it', ' rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh ', 'not an XRPL classic address'],
    ['nothing', '', 'not an XRPL classic address'],
  ])('with %s is none', (_, text, why) => {
    expect(xrplAddressProblem(text)).toContain(why);
  });
});

describe('an EVM address', () => {
  it('is 20 bytes of hexadecimal', () => {
    expect(evmAddressProblem('0x52908400098527886E0F7030069857D2E4169EE7')).toBeUndefined();
    expect(evmAddressProblem('0x52908400098527886E0F7030069857D2E4169EE')).toContain('40 hexadecimal digits');
    expect(evmAddressProblem('52908400098527886E0F7030069857D2E4169EE7')).toContain('0x');
  });
});
