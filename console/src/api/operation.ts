/** How the generated operations describe themselves. */

/** A service of AWS's, or Postern's own. */
export type Service = JsonService | QueryService;

export interface JsonService {
  readonly name: string;
  readonly protocol: 'json';
  /** What `X-Amz-Target` says before the dot. */
  readonly targetPrefix: string;
}

export interface QueryService {
  readonly name: string;
  readonly protocol: 'query';
  readonly version: string;
}

/**
 * How to read XML: text, number, boolean, timestamp; a list of one shape; a map of two; a structure, which names only the members
 * that are not text. Timestamps become seconds since the epoch, as in the JSON services.
 */
export type Shape = 's' | 'n' | 'b' | 't' | readonly [Shape] | readonly [Shape, Shape] | Structure;

export interface Structure {
  readonly [member: string]: Shape;
}

/** An operation with the types of its ends, which exist for the compiler only. */
export interface Operation<Input, Output> {
  readonly service: Service;
  readonly name: string;
  /** Of the Query services. */
  readonly output?: Structure;
  readonly __types?: (input: Input) => Output;
}
