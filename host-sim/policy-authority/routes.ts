// The HTTP routes of a Policy Authority: from requests to the Authority's methods and back. What changes something needs
// an API key; what devices and wallets ask does not.

import { createHash, randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { JsonObject } from '../../core/json/value.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Authority, BundleRequest, GrantRequest } from './authority.ts';
import * as schemas from './schemas.ts';
import type { BundleFilter, Revocation, Scope } from './storage.ts';

/** Adds the routes to a server. */
export function addRoutes(server: FastifyInstance, authority: Authority, apiKeys: ApiKeys): void {
  const needs = (scope: Scope) => ({
    onRequest: (request: FastifyRequest) => apiKeys.require(request.headers.authorization, scope),
  });

  server.post<{ Body: { policyDocument: JsonObject } }>(
    '/policies',
    { ...needs('grants:write'), schema: { body: schemas.policyBody } },
    async (request) => {
      const stored = await authority.storePolicy(request.body.policyDocument);
      return { policyHash: stored.policyHash, storedAt: isoTime(stored.storedAtMs) };
    },
  );

  server.post<{ Body: GrantRequest }>(
    '/grants',
    { ...needs('grants:write'), schema: { body: schemas.grantBody } },
    async (request, reply) => reply.code(201).send(await authority.issueGrant(request.body)),
  );

  server.get<{ Params: { grantId: string } }>(
    '/grants/:grantId',
    { schema: { params: schemas.grantParams } },
    async (request) => {
      const { stored, revocation } = await authority.grant(request.params.grantId);
      const status = revocation === undefined ? 'active' : 'revoked';
      return { grant: stored.envelope, issuedAt: isoTime(stored.issuedAtMs), status };
    },
  );

  server.get<{ Querystring: { grantId: string } }>(
    '/revoke',
    { schema: { querystring: schemas.revokedQuery } },
    async (request) => {
      const revocation = await authority.storage.revocation(request.query.grantId);
      return revocation === undefined ? { revoked: false } : revokedBody(revocation);
    },
  );

  server.post<{ Body: { grantId: string } }>(
    '/revoke',
    { ...needs('grants:revoke'), schema: { body: schemas.revokeBody } },
    async (request) => revokedBody(await authority.revokeGrant(request.body.grantId)),
  );

  server.post<{ Params: { grantId: string } }>(
    '/grants/:grantId/revoke',
    { ...needs('grants:revoke'), schema: { params: schemas.grantParams } },
    async (request) => revokedBody(await authority.revokeGrant(request.params.grantId)),
  );

  server.get('/.well-known/mpcp-keys.json', async () => ({ version: '1.0', keys: authority.signer.publicKeys() }));

  server.post<{ Body: BundleRequest }>(
    '/trust-bundles',
    { ...needs('admin'), schema: { body: schemas.bundleBody } },
    async (request, reply) => reply.code(201).send(await authority.issueBundle(request.body)),
  );

  server.get<{ Querystring: BundleFilter }>(
    '/trust-bundles',
    { schema: { querystring: schemas.bundleQuery } },
    async (request, reply) => {
      const body = await authority.bundleAnswer(request.query);
      const tag = `"${createHash('sha256').update(body).digest('base64url')}"`;
      reply.header('etag', tag).header('cache-control', 'no-cache');
      if (namesTag(request.headers['if-none-match'], tag)) return reply.code(304).send();
      return reply.type('application/json; charset=utf-8').send(body);
    },
  );

  server.post<{ Body: { keyId?: string; scopes: readonly Scope[] } }>(
    '/admin/keys',
    { ...needs('admin'), schema: { body: schemas.keyBody } },
    async (request, reply) => {
      const { keyId = randomUUID(), scopes } = request.body;
      return reply.code(201).send({ keyId, key: await apiKeys.issue(keyId, scopes), scopes });
    },
  );

  server.delete<{ Params: { keyId: string } }>(
    '/admin/keys/:keyId',
    { ...needs('admin'), schema: { params: schemas.keyParams } },
    async (request) => {
      await apiKeys.revoke(request.params.keyId);
      return { keyId: request.params.keyId, revoked: true };
    },
  );
}

/** Whether an If-None-Match header names a tag (RFC 9110 §13.1.2, weak comparison). */
function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((entry) => entry.trim() === '*' || entry.trim().replace(/^W\//, '') === tag);
}

function revokedBody(revocation: Revocation): { revoked: true; revokedAt: string } {
  return { revoked: true, revokedAt: isoTime(revocation.revokedAtMs) };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
