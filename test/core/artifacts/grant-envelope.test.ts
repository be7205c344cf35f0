// A grant in an envelope: what was signed with an issuer keeps it, whatever the envelope says.

import { describe, expect, it } from 'vitest';
import { ArtifactProblem } from '../../../core/artifacts/members.ts';
import { readPolicyGrant } from '../../../core/artifacts/policy-grant.ts';
import { GRANT } from '../../fixtures/artifacts.ts';
import { PA } from '../../fixtures/keys.ts';

const around = { issuer: PA, issuerKeyId: 'pa-1', signature: 'AA==' };

describe('attack: a grant that was signed flat is put into an envelope of another issuer', () => {
  it.each([
    ['issuer', { issuer: 'other-pa.example' }],
    ['issuerKeyId', { issuerKeyId: 'pa-2' }],
  ])('and is refused for its %s', (name, signed) => {
    const read = readPolicyGrant({ ...around, grant: { ...GRANT, ...signed } });
    expect(read).toBeInstanceOf(ArtifactProblem);
    expect(read).toMatchObject({ code: 'ARTIFACT_INVALID', message: expect.stringContaining(name) });
  });

  it('is read where both say the same', () => {
    const read = readPolicyGrant({ ...around, grant: { ...GRANT, issuer: PA, issuerKeyId: 'pa-1' } });
    expect(read).toMatchObject({ issuer: PA });
  });
});
