// JSON Schemas that take no unknown member, and one sentence for what a schema found.

/** An object with these members and no other. */
export function closed(properties: object, required: readonly string[]): object {
  return { type: 'object', additionalProperties: false, properties, required };
}

/** One sentence for what a schema found; Ajv's own does not name an unknown member. */
export function schemaProblem(errors: readonly SchemaError[], what: string): Error {
  const sentences = errors.map(({ instancePath, keyword, params, message }) =>
    keyword === 'additionalProperties'
      ? `${what}${instancePath} has the unknown member ${JSON.stringify(params.additionalProperty)}`
      : `${what}${instancePath} ${message}`,
  );
  return new Error(sentences.join(', '));
}

interface SchemaError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}
